/* Stops the emulator where a debugger wants it: at breakpoints, after steps, after watched memory
 * has changed.
 *
 * Registered with Unicorn as code hooks: `smg_control_breakpoint` on single addresses, and
 * `smg_control_code` on every instruction while something is stepped or watched. Memory hooks are
 * not used, because they disturb the IT blocks of Thumb-2 code (see counter.c); for the same reason
 * nothing is stopped inside an IT block but at a breakpoint that was set there. */
#include <stdint.h>
#include <string.h>

typedef int (*mem_read_fn)(void *engine, uint64_t address, void *bytes, uint64_t size);
typedef int (*emu_stop_fn)(void *engine);

enum { MOST_WATCHES = 8, MOST_WATCHED_BYTES = 64 };
enum reason { RUNNING, BREAKPOINT, STEPPED, WATCHED };

typedef struct {
    uint32_t address;
    uint32_t bytes; /* 0: a free place */
    uint8_t before[MOST_WATCHED_BYTES];
} watch_t;

typedef struct {
    mem_read_fn mem_read;
    emu_stop_fn emu_stop;
    uint32_t thumb;
    uint32_t reason;
    uint32_t watched; /* the address whose change stopped it */
    uint32_t passing; /* the breakpoint at which it was resumed is not to stop it at once */
    uint32_t fresh;   /* nothing has run since it was resumed */
    uint32_t steps;
    uint32_t start, end; /* stepping goes on while the program counter is in here */
    uint32_t block, block_end;
    watch_t watches[MOST_WATCHES];
} control_t;

uint32_t smg_control_bytes(void);
void smg_control_init(control_t *control, void *mem_read, void *emu_stop, uint32_t thumb);
uint32_t smg_control_watch(control_t *control, uint32_t address, uint32_t bytes);
uint32_t smg_control_unwatch(control_t *control, uint32_t address, uint32_t bytes);
void smg_control_resume(control_t *control, void *engine, uint32_t passing, uint32_t steps,
                        uint32_t start, uint32_t end);
uint32_t smg_control_reason(const control_t *control, uint32_t *watched);
void smg_control_breakpoint(void *engine, uint64_t address, uint32_t size, void *user);
void smg_control_code(void *engine, uint64_t address, uint32_t size, void *user);

uint32_t smg_control_bytes(void) {
    return (uint32_t)sizeof(control_t);
}

void smg_control_init(control_t *control, void *mem_read, void *emu_stop, uint32_t thumb) {
    memset(control, 0, sizeof *control);
    __extension__ control->mem_read = (mem_read_fn)mem_read;
    __extension__ control->emu_stop = (emu_stop_fn)emu_stop;
    control->thumb = thumb;
}

static watch_t *find_watch(control_t *control, uint32_t address, uint32_t bytes) {
    for (uint32_t i = 0; i < MOST_WATCHES; ++i) {
        watch_t *watch = &control->watches[i];
        if (watch->bytes == bytes && (bytes == 0U || watch->address == address)) {
            return watch;
        }
    }
    return NULL;
}

/* Whether there was room. */
uint32_t smg_control_watch(control_t *control, uint32_t address, uint32_t bytes) {
    if (bytes == 0U || bytes > MOST_WATCHED_BYTES) {
        return 0;
    }
    if (find_watch(control, address, bytes) != NULL) {
        return 1;
    }
    watch_t *watch = find_watch(control, 0, 0);
    if (watch == NULL) {
        return 0;
    }
    watch->address = address;
    watch->bytes = bytes;
    return 1;
}

/* Whether it was there. */
uint32_t smg_control_unwatch(control_t *control, uint32_t address, uint32_t bytes) {
    watch_t *watch = bytes == 0U ? NULL : find_watch(control, address, bytes);
    if (watch == NULL) {
        return 0;
    }
    watch->bytes = 0;
    return 1;
}

/* What others have written to watched memory meanwhile does not count. */
void smg_control_resume(control_t *control, void *engine, uint32_t passing, uint32_t steps,
                        uint32_t start, uint32_t end) {
    control->reason = RUNNING;
    control->passing = passing;
    control->fresh = 1;
    control->steps = steps;
    control->start = start;
    control->end = end;
    control->block_end = 0;
    control->block = 0;
    for (uint32_t i = 0; i < MOST_WATCHES; ++i) {
        watch_t *watch = &control->watches[i];
        (void)control->mem_read(engine, watch->address, watch->before, watch->bytes);
    }
}

uint32_t smg_control_reason(const control_t *control, uint32_t *watched) {
    *watched = control->watched;
    return control->reason;
}

static void stop(control_t *control, void *engine, enum reason reason) {
    if (control->reason == RUNNING) {
        control->reason = (uint32_t)reason;
        (void)control->emu_stop(engine);
    }
}

void smg_control_breakpoint(void *engine, uint64_t address, uint32_t size, void *user) {
    control_t *control = user;
    (void)address;
    (void)size;
    if (control->passing) {
        control->passing = 0;
        return;
    }
    stop(control, engine, BREAKPOINT);
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

static int has_changed(control_t *control, void *engine) {
    uint8_t now[MOST_WATCHED_BYTES];
    for (uint32_t i = 0; i < MOST_WATCHES; ++i) {
        const watch_t *watch = &control->watches[i];
        (void)control->mem_read(engine, watch->address, now, watch->bytes);
        if (memcmp(now, watch->before, watch->bytes) != 0) {
            control->watched = watch->address;
            return 1;
        }
    }
    return 0;
}

void smg_control_code(void *engine, uint64_t address64, uint32_t size, void *user) {
    control_t *control = user;
    const uint32_t address = (uint32_t)address64;
    const int in_block = address >= control->block && address < control->block_end;
    (void)size;
    if (!in_block) {
        note_block(control, engine, address);
    }
    if (control->fresh) {
        control->fresh = 0;
    } else if (in_block) {
        return;
    } else if (has_changed(control, engine)) {
        stop(control, engine, WATCHED);
    } else if (control->steps && (address < control->start || address >= control->end)) {
        stop(control, engine, STEPPED);
    }
}
