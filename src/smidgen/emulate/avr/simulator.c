/* Calls functions on simavr's core, one instruction after the other, and counts them by layer.
 *
 * Compiled against simavr's own headers, because its state is a public structure. Registers, stack
 * and return addresses are those of the AVR instruction set manual; r24 and down hold arguments
 * (avr-gcc's calling convention), two bytes each. */
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#endif
#include "sim_avr.h"
#include "sim_core.h"
#if defined(__clang__)
#pragma clang diagnostic pop
#endif

enum outcome {
    RETURNED,
    STACK_OVERFLOW,
    CRASHED,
    RAN_TOO_LONG,
    BREAKPOINT,
    STEPPED,
    WATCHED,
    PAUSED
};
enum { STACK_LOW = 0x5D, STACK_HIGH = 0x5E, FIRST_ARGUMENT = 24, ZERO_REGISTER = 1 };
enum { WATCHES = 8, WATCHED_BYTES = 64 };

typedef struct {
    uint64_t instructions, cycles;
} cost_t;

/* Where a call goes and what it may; addresses of code are in bytes. */
typedef struct {
    uint32_t function, back; /* `back`: where it returns to, which is not run */
    uint32_t stack_start, stack_end;
    uint32_t root_start, root_end;
    uint32_t layers;
    const uint32_t *entries; /* of the layers; layer i is region i + 1 */
    uint64_t limit, done;    /* in instructions */
    uint32_t region;         /* the one that is running */
    uint32_t where;          /* the instruction that was run last */
} call_t;

/* Bytes of the data space at which a debugger wants to stop when they change. */
typedef struct {
    uint32_t address, bytes;
    uint8_t content[WATCHED_BYTES];
} watch_t;

/* Where a debugger wants to stop. The instruction at which it goes on is run in any case. */
typedef struct {
    const uint8_t *breakpoints;             /* not 0 for those among the words of the flash */
    uint32_t is_step, span_start, span_end; /* a step ends outside of the span */
    uint32_t pause_after, ran;              /* in instructions */
    uint32_t goes_on, watched;              /* `watched`: the address that has changed */
    watch_t watches[WATCHES];
} debug_t;

avr_t *smg_simulator_new(const char *name, uint32_t clock_hz);
void smg_simulator_load(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count);
void smg_simulator_write(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count);
void smg_simulator_read(const avr_t *avr, uint32_t address, uint8_t *content, uint32_t count);
uint32_t smg_simulator_flash_bytes(const avr_t *avr);
uint32_t smg_simulator_data_bytes(const avr_t *avr);
void smg_simulator_read_flash(const avr_t *avr, uint32_t address, uint8_t *content, uint32_t count);
void smg_simulator_enter(avr_t *avr, const call_t *call, const uint16_t *arguments, uint32_t count);
uint32_t smg_simulator_run(avr_t *avr, call_t *call, cost_t *costs, debug_t *debug);
uint32_t smg_simulator_result(const avr_t *avr);
uint32_t smg_simulator_pc(const avr_t *avr);
void smg_simulator_set_pc(avr_t *avr, uint32_t pc);
uint32_t smg_simulator_status(const avr_t *avr);
void smg_simulator_set_status(avr_t *avr, uint32_t status);
uint32_t smg_simulator_debug_bytes(void);
uint32_t smg_simulator_watch(const avr_t *avr, debug_t *debug, uint32_t address, uint32_t count);
void smg_simulator_unwatch(debug_t *debug, uint32_t address, uint32_t count);

static void say_nothing(struct avr_t *avr, const int level, const char *format, va_list arguments) {
    (void)avr;
    (void)level;
    (void)format;
    (void)arguments;
}

avr_t *smg_simulator_new(const char *name, uint32_t clock_hz) {
    avr_global_logger_set(say_nothing);
    avr_t *avr = avr_make_mcu_by_name(name);
    if (avr != NULL && avr_init(avr) == 0) {
        avr->frequency = clock_hz;
        return avr;
    }
    return NULL;
}

void smg_simulator_load(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count) {
    memcpy(avr->flash + address, content, count);
    if (address + count > avr->codeend) {
        avr->codeend = address + count;
    }
}

void smg_simulator_write(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count) {
    memcpy(avr->data + address, content, count);
}

void smg_simulator_read(const avr_t *avr, uint32_t address, uint8_t *content, uint32_t count) {
    memcpy(content, avr->data + address, count);
}

uint32_t smg_simulator_flash_bytes(const avr_t *avr) {
    return avr->flashend + 1U;
}

/* Registers and RAM. */
uint32_t smg_simulator_data_bytes(const avr_t *avr) {
    return avr->ramend + 1U;
}

static uint32_t stack_pointer(const avr_t *avr) {
    return (uint32_t)(avr->data[STACK_LOW] | avr->data[STACK_HIGH] << 8);
}

/* The return address, of two or three bytes, lies behind the stack pointer, its high byte first. */
void smg_simulator_enter(avr_t *avr, const call_t *call, const uint16_t *arguments,
                         uint32_t count) {
    uint32_t back = call->back >> 1, top = call->stack_end - 1U;
    for (uint32_t i = 0; i < avr->address_size; ++i) {
        avr->data[top--] = (uint8_t)back;
        back >>= 8;
    }
    avr->data[STACK_LOW] = (uint8_t)top;
    avr->data[STACK_HIGH] = (uint8_t)(top >> 8);
    avr->data[ZERO_REGISTER] = 0;
    for (uint32_t i = 0; i < count; ++i) {
        avr->data[FIRST_ARGUMENT - 2U * i] = (uint8_t)arguments[i];
        avr->data[FIRST_ARGUMENT - 2U * i + 1U] = (uint8_t)(arguments[i] >> 8);
    }
    avr->pc = call->function;
    avr->state = cpu_Running;
}

static uint32_t region_at(const call_t *call, uint32_t pc, uint32_t region) {
    if (pc >= call->root_start && pc < call->root_end) {
        return 0;
    }
    for (uint32_t i = 0; i < call->layers; ++i) {
        if (call->entries[i] == pc) {
            return i + 1U;
        }
    }
    return region;
}

static const watch_t *changed(const avr_t *avr, const debug_t *debug) {
    for (uint32_t i = 0; i < WATCHES; ++i) {
        const watch_t *watch = &debug->watches[i];
        if (memcmp(avr->data + watch->address, watch->content, watch->bytes) != 0) {
            return watch;
        }
    }
    return NULL;
}

/* Whether the debugger wants to stop before the next instruction, and why. */
static enum outcome asked(const avr_t *avr, debug_t *debug) {
    const watch_t *watch = changed(avr, debug);
    if (watch != NULL) {
        debug->watched = watch->address;
        return WATCHED;
    }
    if (debug->goes_on != 0) {
        debug->goes_on = 0;
        return RETURNED;
    }
    if (debug->breakpoints[avr->pc >> 1] != 0) {
        return BREAKPOINT;
    }
    if (debug->is_step != 0 && (avr->pc < debug->span_start || avr->pc >= debug->span_end)) {
        return STEPPED;
    }
    if (++debug->ran >= debug->pause_after) {
        debug->ran = 0;
        debug->goes_on = 1;
        return PAUSED;
    }
    return RETURNED;
}

static enum outcome step(avr_t *avr, call_t *call, cost_t *costs) {
    const avr_cycle_count_t before = avr->cycle;
    call->where = avr->pc;
    call->region = region_at(call, avr->pc, call->region);
    avr->run_cycle_count = 0; /* or it would run several */
    avr->pc = avr_run_one(avr);
    costs[call->region].instructions += 1U;
    costs[call->region].cycles += avr->cycle - before;
    if (avr->state != cpu_Running) {
        return CRASHED;
    }
    if (stack_pointer(avr) + 1U < call->stack_start) {
        return STACK_OVERFLOW;
    }
    return ++call->done > call->limit ? RAN_TOO_LONG : RETURNED;
}

/* Runs on until the call returns or something stops it. `costs` has one entry for each region;
 * `debug` is NULL without a debugger. */
uint32_t smg_simulator_run(avr_t *avr, call_t *call, cost_t *costs, debug_t *debug) {
    enum outcome outcome = RETURNED;
    while (outcome == RETURNED && avr->pc != call->back) {
        outcome = debug != NULL ? asked(avr, debug) : RETURNED;
        outcome = outcome == RETURNED ? step(avr, call, costs) : outcome;
    }
    return outcome;
}

uint32_t smg_simulator_result(const avr_t *avr) {
    return (uint32_t)(avr->data[FIRST_ARGUMENT] | avr->data[FIRST_ARGUMENT + 1] << 8);
}

void smg_simulator_read_flash(const avr_t *avr, uint32_t address, uint8_t *content,
                              uint32_t count) {
    memcpy(content, avr->flash + address, count);
}

uint32_t smg_simulator_pc(const avr_t *avr) {
    return avr->pc;
}

void smg_simulator_set_pc(avr_t *avr, uint32_t pc) {
    avr->pc = pc;
    avr->state = cpu_Running;
}

/* SREG, whose flags the simulator keeps apart. */
uint32_t smg_simulator_status(const avr_t *avr) {
    uint32_t status = 0;
    for (uint32_t i = 0; i < 8U; ++i) {
        status |= (uint32_t)(avr->sreg[i] != 0) << i;
    }
    return status;
}

void smg_simulator_set_status(avr_t *avr, uint32_t status) {
    for (uint32_t i = 0; i < 8U; ++i) {
        avr->sreg[i] = (uint8_t)(status >> i & 1U);
    }
}

uint32_t smg_simulator_debug_bytes(void) {
    return sizeof(debug_t);
}

/* Whether there was room for one more. */
uint32_t smg_simulator_watch(const avr_t *avr, debug_t *debug, uint32_t address, uint32_t count) {
    for (uint32_t i = 0; i < WATCHES && count > 0U && count <= WATCHED_BYTES; ++i) {
        watch_t *watch = &debug->watches[i];
        if (watch->bytes == 0U) {
            watch->address = address;
            watch->bytes = count;
            memcpy(watch->content, avr->data + address, count);
            return 1;
        }
    }
    return 0;
}

void smg_simulator_unwatch(debug_t *debug, uint32_t address, uint32_t count) {
    for (uint32_t i = 0; i < WATCHES; ++i) {
        if (debug->watches[i].address == address && debug->watches[i].bytes == count) {
            debug->watches[i].bytes = 0;
        }
    }
}
