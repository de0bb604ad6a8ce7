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

enum outcome { RETURNED, STACK_OVERFLOW, CRASHED, RAN_TOO_LONG };
enum { STACK_LOW = 0x5D, STACK_HIGH = 0x5E, FIRST_ARGUMENT = 24, ZERO_REGISTER = 1 };

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
    uint64_t limit;
} call_t;

avr_t *smg_simulator_new(const char *name, uint32_t clock_hz);
void smg_simulator_load(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count);
void smg_simulator_write(avr_t *avr, uint32_t address, const uint8_t *content, uint32_t count);
void smg_simulator_read(const avr_t *avr, uint32_t address, uint8_t *content, uint32_t count);
uint32_t smg_simulator_flash_bytes(const avr_t *avr);
uint32_t smg_simulator_call(avr_t *avr, const call_t *call, const uint16_t *arguments,
                            uint32_t count, cost_t *costs, uint32_t *where);
uint32_t smg_simulator_result(const avr_t *avr);

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

static uint32_t stack_pointer(const avr_t *avr) {
    return (uint32_t)(avr->data[STACK_LOW] | avr->data[STACK_HIGH] << 8);
}

/* The return address, of two or three bytes, lies behind the stack pointer, its high byte first. */
static void enter(avr_t *avr, const call_t *call, const uint16_t *arguments, uint32_t count) {
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

/* `costs` has one entry for each region; `where` becomes the program counter. */
uint32_t smg_simulator_call(avr_t *avr, const call_t *call, const uint16_t *arguments,
                            uint32_t count, cost_t *costs, uint32_t *where) {
    uint32_t region = 0;
    uint64_t done = 0;
    enter(avr, call, arguments, count);
    while (avr->pc != call->back) {
        const avr_cycle_count_t before = avr->cycle;
        *where = avr->pc;
        region = region_at(call, avr->pc, region);
        avr->run_cycle_count = 0; /* or it would run several */
        avr->pc = avr_run_one(avr);
        costs[region].instructions += 1U;
        costs[region].cycles += avr->cycle - before;
        if (avr->state != cpu_Running) {
            return CRASHED;
        }
        if (stack_pointer(avr) + 1U < call->stack_start) {
            return STACK_OVERFLOW;
        }
        if (++done > call->limit) {
            return RAN_TOO_LONG;
        }
    }
    return RETURNED;
}

uint32_t smg_simulator_result(const avr_t *avr) {
    return (uint32_t)(avr->data[FIRST_ARGUMENT] | avr->data[FIRST_ARGUMENT + 1] << 8);
}
