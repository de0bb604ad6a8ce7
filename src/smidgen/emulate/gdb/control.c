/* Stops the emulator where a debugger wants it: at breakpoints, after steps, after instructions
 * that read or change watched memory.
 *
 * Registered with Unicorn as code hooks: `smg_control_breakpoint` on single addresses, and
 * `smg_control_code` on every instruction while something is stepped or watched. What an
 * instruction reaches is looked up before it runs, and told before the next one. Memory hooks are
 * not used, because they disturb the IT blocks of Thumb-2 code (see counter.c); for the same reason
 * nothing is stopped inside an IT block but at a breakpoint that was set there. */
#include "accesses.h"
#include "counter.h"

#include <stdint.h>
#include <string.h>

enum { MOST_WATCHES = 8, MOST_ACCESS_BYTES = 128 }; /* 32 registers of the FPU */
enum reason { RUNNING, BREAKPOINT, STEPPED, WATCHED };
/* What of a watched place is told: stores that change it, loads, or both and other stores too. */
enum watched { NOTHING, CHANGES, LOADS, ACCESSES };

typedef struct {
    uint32_t address, bytes;
    uint32_t what; /* NOTHING: a free place */
} watch_t;

/* Watched memory that was reached: the first byte of it, and what was watched there. */
typedef struct {
    uint32_t address, what;
} hit_t;

typedef struct {
    mem_read_fn mem_read;
    emu_stop_fn emu_stop;
    reg_read_fn reg_read;
    uint32_t thumb;
    uint32_t reason;
    uint32_t passing; /* the breakpoint at which it was resumed is not to stop it at once */
    uint32_t fresh;   /* nothing has run since it was resumed */
    uint32_t steps;
    uint32_t start, end; /* stepping goes on while the program counter is in here */
    uint32_t block, block_end;
    accesses_t accesses;
    watch_t watches[MOST_WATCHES];
    hit_t hit;                        /* what the last instructions reached, not told yet */
    uint32_t stored_at, stored_bytes; /* what the last one is about to store to, and was there */
    uint8_t stored[MOST_ACCESS_BYTES];
} control_t;

uint32_t smg_control_bytes(void);
void smg_control_init(control_t *control, void *mem_read, void *emu_stop, void *reg_read,
                      uint32_t thumb);
void smg_control_accesses(control_t *control, const accesses_t *accesses);
uint32_t smg_control_watch(control_t *control, uint32_t what, uint32_t address, uint32_t bytes);
void smg_control_unwatch(control_t *control, uint32_t what, uint32_t address, uint32_t bytes);
void smg_control_resume(control_t *control, uint32_t passing, uint32_t steps, uint32_t start,
                        uint32_t end);
uint32_t smg_control_reason(control_t *control, void *engine, hit_t *hit);
void smg_control_breakpoint(void *engine, uint64_t address, uint32_t size, void *user);
void smg_control_code(void *engine, uint64_t address, uint32_t size, void *user);

uint32_t smg_control_bytes(void) {
    return (uint32_t)sizeof(control_t);
}

void smg_control_init(control_t *control, void *mem_read, void *emu_stop, void *reg_read,
                      uint32_t thumb) {
    memset(control, 0, sizeof *control);
    __extension__ control->mem_read = (mem_read_fn)mem_read;
    __extension__ control->emu_stop = (emu_stop_fn)emu_stop;
    __extension__ control->reg_read = (reg_read_fn)reg_read;
    control->thumb = thumb;
}

/* Nothing is known to be reached until this was called. */
void smg_control_accesses(control_t *control, const accesses_t *accesses) {
    control->accesses = *accesses;
}

static watch_t *find_watch(control_t *control, watch_t wanted) {
    for (uint32_t i = 0; i < MOST_WATCHES; ++i) {
        watch_t *watch = &control->watches[i];
        if (watch->what == wanted.what && watch->address == wanted.address &&
            watch->bytes == wanted.bytes) {
            return watch;
        }
    }
    return NULL;
}

static const watch_t free_place = {0, 0, NOTHING};

/* Whether there was room. */
uint32_t smg_control_watch(control_t *control, uint32_t what, uint32_t address, uint32_t bytes) {
    const watch_t wanted = {address, bytes, what};
    watch_t *place = find_watch(control, wanted);
    if (place == NULL) {
        place = find_watch(control, free_place);
    }
    if (place == NULL) {
        return 0;
    }
    *place = wanted;
    return 1;
}

void smg_control_unwatch(control_t *control, uint32_t what, uint32_t address, uint32_t bytes) {
    const watch_t wanted = {address, bytes, what};
    watch_t *place = find_watch(control, wanted);
    if (place != NULL) {
        *place = free_place;
    }
}

void smg_control_resume(control_t *control, uint32_t passing, uint32_t steps, uint32_t start,
                        uint32_t end) {
    control->reason = RUNNING;
    control->passing = passing;
    control->fresh = 1;
    control->steps = steps;
    control->start = start;
    control->end = end;
    control->block_end = 0;
    control->block = 0;
    control->hit.what = NOTHING;
    control->stored_bytes = 0;
}

static void stop(control_t *control, void *engine, enum reason reason) {
    if (control->reason == RUNNING) {
        control->reason = (uint32_t)reason;
        (void)control->emu_stop(engine);
    }
}

/* -- watched memory */

/* The first byte of both. Addresses may wrap. */
static int meets(const watch_t *watch, uint32_t address, uint32_t bytes, uint32_t *first) {
    *first = watch->address - address < bytes ? watch->address : address;
    return watch->what != NOTHING && *first - watch->address < watch->bytes;
}

static void note_hit(control_t *control, uint32_t address, uint32_t what) {
    if (control->hit.what == NOTHING) {
        control->hit.address = address;
        control->hit.what = what;
    }
}

/* Keeps what is there before a store. */
static void note_store(control_t *control, void *engine, uint32_t address, uint32_t bytes) {
    control->stored_at = address;
    control->stored_bytes = bytes < MOST_ACCESS_BYTES ? bytes : MOST_ACCESS_BYTES;
    if (control->mem_read(engine, address, control->stored, control->stored_bytes) != 0) {
        control->stored_bytes = 0; /* there is no memory: it will fault */
    }
}

/* What the instruction at `pc` is about to reach. Unicorn does not tell of instructions that an IT
 * block skips. */
static void note_access(control_t *control, void *engine, uint32_t pc) {
    const access_t *access = smg_access_at(&control->accesses, pc);
    if (access == NULL) {
        return;
    }
    const uint32_t address = smg_access_address(access, control->reg_read, engine);
    for (uint32_t i = 0; i < MOST_WATCHES; ++i) {
        const watch_t *watch = &control->watches[i];
        uint32_t first;
        if (!meets(watch, address, access->bytes, &first)) {
            continue;
        }
        if (watch->what == CHANGES && access->is_store) {
            note_store(control, engine, address, access->bytes);
        } else if (watch->what == ACCESSES || (watch->what == LOADS && access->is_load)) {
            note_hit(control, first, watch->what);
        }
    }
}

/* After an instruction: whether what it has stored changed a watched place. */
static void settle_store(control_t *control, void *engine) {
    uint8_t now[MOST_ACCESS_BYTES];
    if (control->stored_bytes == 0U) {
        return;
    }
    (void)control->mem_read(engine, control->stored_at, now, control->stored_bytes);
    for (uint32_t i = 0; i < control->stored_bytes; ++i) {
        for (uint32_t w = 0; w < MOST_WATCHES && now[i] != control->stored[i]; ++w) {
            const watch_t *watch = &control->watches[w];
            if (watch->what == CHANGES && control->stored_at + i - watch->address < watch->bytes) {
                note_hit(control, control->stored_at + i, CHANGES);
            }
        }
    }
    control->stored_bytes = 0;
}

/* Whether the instructions that have run reached what is watched. */
static int has_hit(control_t *control, void *engine) {
    settle_store(control, engine);
    return control->hit.what != NOTHING;
}

/* Why it stands still. The last instruction of a call is followed by none that would tell. */
uint32_t smg_control_reason(control_t *control, void *engine, hit_t *hit) {
    if (control->reason == RUNNING && has_hit(control, engine)) {
        control->reason = WATCHED;
    }
    *hit = control->hit;
    return control->reason;
}

void smg_control_breakpoint(void *engine, uint64_t address, uint32_t size, void *user) {
    control_t *control = user;
    (void)address;
    (void)size;
    if (control->passing) {
        control->passing = 0;
        return;
    }
    stop(control, engine, has_hit(control, engine) ? WATCHED : BREAKPOINT);
}

static uint16_t halfword(const control_t *control, void *engine, uint32_t address) {
    uint16_t value = 0;
    (void)control->mem_read(engine, address, &value, sizeof value);
    return value;
}

/* The instructions behind an IT instruction (Armv7-M ARM, A7.7.38): the lowest set bit of its mask
 * tells how many. */
static void note_block(control_t *control, void *engine, uint32_t address) {
    const uint32_t first = halfword(control, engine, address);
    if (!control->thumb || (first & 0xFF00U) != 0xBF00U || (first & 0xFU) == 0U) {
        return;
    }
    uint32_t end = address + 2U;
    control->block = end;
    for (uint32_t mask = first & 0xFU; mask != 0U; mask = (mask << 1) & 0xFU) {
        end += (halfword(control, engine, end) >> 11) >= 0x1DU ? 4U : 2U;
    }
    control->block_end = end;
}

static int ends_step(const control_t *control, uint32_t address) {
    return control->steps && (address < control->start || address >= control->end);
}

void smg_control_code(void *engine, uint64_t address64, uint32_t size, void *user) {
    control_t *control = user;
    const uint32_t address = (uint32_t)address64;
    const int in_block = address >= control->block && address < control->block_end;
    (void)size;
    if (!in_block) {
        note_block(control, engine, address);
    }
    settle_store(control, engine);
    if (control->fresh) {
        control->fresh = 0;
    } else if (!in_block && control->hit.what != NOTHING) {
        stop(control, engine, WATCHED);
        return;
    } else if (!in_block && ends_step(control, address)) {
        stop(control, engine, STEPPED);
        return;
    }
    note_access(control, engine, address);
}
