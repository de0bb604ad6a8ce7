/* Counts, per region of the program, how often each translation block of the emulator ran.
 *
 * Registered with Unicorn as a block hook (and others, for strict alignment). A block is
 * what the emulator translated in one piece: straight-line code from `address`, `size` bytes long.
 * The region is the layer that is running: it changes when a block starts at a layer's entry, and
 * is 0 again in any block of the root function. */
#include "counter.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct {
    uint64_t executions;
    uint64_t taken;     /* how often the next block was not the one that follows in memory */
    uint64_t simulated; /* executions with simulated memory, which keep their count when cleared */
    uint64_t waits;     /* clocks that those waited for memory */
    uint32_t address;
    uint32_t size;
    uint32_t region;
    uint32_t becomes; /* the region in which this block runs */
    uint32_t instructions;
    uint32_t used;
    uint32_t epoch; /* of the simulation that `simulated` and `waits` are from */
    uint32_t spare;
} block_t;

struct counter {
    block_t *blocks;
    uint32_t capacity; /* a power of two */
    uint32_t count;
    uint32_t last; /* index of the block that ran last, or NONE */
    uint32_t region;
    uint32_t root_start;
    uint32_t root_end;
    const uint32_t *entries; /* of the layers; layer i is region i + 1 */
    uint32_t entry_count;
    uint32_t thumb;
    int32_t pc_register;
    uint64_t instructions;
    uint64_t limit;
    uint32_t stopped; /* the limit was reached */
    uint32_t paused;
    uint64_t pause_after; /* this many instructions; 0: never */
    uint64_t pause_at;
    uint32_t unaligned_pc;
    uint32_t unaligned_address;
    uint32_t unaligned_size; /* 0: no unaligned access was seen */
    mem_read_fn mem_read;
    emu_stop_fn emu_stop;
    reg_read_fn reg_read;
    uint32_t simulates;
    uint32_t epoch;
    uint64_t waited;   /* clocks, by the execution that runs now */
    uint32_t resuming; /* after an interruption, which nobody has asked for yet */
    uint32_t unknown;  /* since `begin`, a block ran that was never simulated */
};

/* An instruction that faults unless its base register is a multiple of four. */
typedef struct {
    counter_t *counter;
    int32_t base_register;
} site_t;

#define NONE UINT32_MAX
#define FIRST_CAPACITY 1024U

counter_t *smg_counter_new(void *mem_read, void *emu_stop, void *reg_read, uint32_t thumb,
                           int32_t pc_register);
void smg_counter_free(counter_t *counter);
int smg_counter_regions(counter_t *counter, uint32_t root_start, uint32_t root_end,
                        const uint32_t *entries, uint32_t entry_count);
void smg_counter_clear(counter_t *counter);
void smg_counter_begin(counter_t *counter, uint64_t limit);
void smg_counter_end(counter_t *counter);
uint32_t smg_counter_count(const counter_t *counter);
void smg_counter_copy(const counter_t *counter, block_t *out);
uint32_t smg_counter_stopped(const counter_t *counter);
uint32_t smg_counter_unknown(const counter_t *counter);
uint32_t smg_counter_unaligned(const counter_t *counter, uint32_t *pc, uint32_t *address);
void smg_counter_pause_after(counter_t *counter, uint64_t instructions);
uint32_t smg_counter_paused(counter_t *counter);
void smg_counter_interrupted(counter_t *counter, void *engine, uint32_t pc);
void smg_counter_block(void *engine, uint64_t address, uint32_t size, void *user);
void smg_counter_access(void *engine, int type, uint64_t address, int size, int64_t value,
                        void *user);
void smg_counter_site(void *engine, uint64_t address, uint32_t size, void *user);

counter_t *smg_counter_new(void *mem_read, void *emu_stop, void *reg_read, uint32_t thumb,
                           int32_t pc_register) {
    counter_t *counter = calloc(1, sizeof *counter);
    block_t *blocks = calloc(FIRST_CAPACITY, sizeof *blocks);
    if (counter == NULL || blocks == NULL) {
        free(counter);
        free(blocks);
        return NULL;
    }
    counter->blocks = blocks;
    counter->capacity = FIRST_CAPACITY;
    counter->last = NONE;
    counter->thumb = thumb;
    counter->pc_register = pc_register;
    __extension__ counter->mem_read = (mem_read_fn)mem_read;
    __extension__ counter->emu_stop = (emu_stop_fn)emu_stop;
    __extension__ counter->reg_read = (reg_read_fn)reg_read;
    return counter;
}

void smg_counter_free(counter_t *counter) {
    if (counter != NULL) {
        free(counter->blocks);
        free(counter);
    }
}

/* `entries` must stay where it is for as long as the counter lives. */
int smg_counter_regions(counter_t *counter, uint32_t root_start, uint32_t root_end,
                        const uint32_t *entries, uint32_t entry_count) {
    counter->root_start = root_start;
    counter->root_end = root_end;
    counter->entries = entries;
    counter->entry_count = entry_count;
    for (uint32_t i = 0; i < counter->capacity; ++i) {
        counter->blocks[i].used = 0;
    }
    counter->count = 0;
    counter->last = NONE;
    return 0;
}

/* The blocks stay, with what is known of their waits. */
void smg_counter_clear(counter_t *counter) {
    for (uint32_t i = 0; i < counter->capacity; ++i) {
        counter->blocks[i].executions = 0;
        counter->blocks[i].taken = 0;
    }
    counter->last = NONE;
}

void smg_counter_simulate(counter_t *counter, uint32_t wanted) {
    counter->simulates = wanted;
    counter->epoch += wanted;
}

static void note_simulated(const counter_t *counter, block_t *block) {
    if (block->epoch != counter->epoch) {
        block->epoch = counter->epoch;
        block->simulated = 0;
        block->waits = 0;
    }
    ++block->simulated;
}

void smg_counter_waited(counter_t *counter, uint64_t clocks) {
    if (counter->last != NONE) {
        counter->blocks[counter->last].waits += clocks;
        counter->waited += clocks;
    }
}

reg_read_fn smg_counter_reg_read(const counter_t *counter) {
    return counter->reg_read;
}

void smg_counter_begin(counter_t *counter, uint64_t limit) {
    counter->last = NONE;
    counter->region = 0;
    counter->instructions = 0;
    counter->pause_at = counter->pause_after;
    counter->paused = 0;
    counter->limit = limit;
    counter->stopped = 0;
    counter->unknown = 0;
    counter->waited = 0;
    counter->unaligned_size = 0;
}

/* The last block has returned to the caller outside, which is no block. */
void smg_counter_end(counter_t *counter) {
    if (counter->last != NONE) {
        ++counter->blocks[counter->last].taken;
    }
}

uint32_t smg_counter_count(const counter_t *counter) {
    return counter->count;
}

void smg_counter_copy(const counter_t *counter, block_t *out) {
    for (uint32_t i = 0; i < counter->capacity; ++i) {
        if (counter->blocks[i].used) {
            *out++ = counter->blocks[i];
        }
    }
}

uint32_t smg_counter_stopped(const counter_t *counter) {
    return counter->stopped;
}

uint32_t smg_counter_unknown(const counter_t *counter) {
    return counter->unknown;
}

uint32_t smg_counter_unaligned(const counter_t *counter, uint32_t *pc, uint32_t *address) {
    *pc = counter->unaligned_pc;
    *address = counter->unaligned_address;
    return counter->unaligned_size;
}

/* The slot of the block, or the free slot where it belongs. */
static uint32_t find(const counter_t *counter, uint32_t region, uint32_t address, uint32_t size) {
    const uint32_t mask = counter->capacity - 1U;
    uint32_t slot = (((address >> 1) ^ (region << 20)) * 0x9E3779B1U) >> 8;
    for (;; ++slot) {
        const block_t *block = &counter->blocks[slot & mask];
        if (!block->used ||
            (block->address == address && block->region == region && block->size == size)) {
            return slot & mask;
        }
    }
}

static int grow(counter_t *counter) {
    block_t *old = counter->blocks;
    const uint32_t old_capacity = counter->capacity;
    const block_t last = counter->last == NONE ? old[0] : old[counter->last];
    block_t *blocks = calloc((size_t)old_capacity * 2U, sizeof *blocks);
    if (blocks == NULL) {
        return -1;
    }
    counter->blocks = blocks;
    counter->capacity = old_capacity * 2U;
    for (uint32_t i = 0; i < old_capacity; ++i) {
        if (old[i].used) {
            blocks[find(counter, old[i].region, old[i].address, old[i].size)] = old[i];
        }
    }
    if (counter->last != NONE) {
        counter->last = find(counter, last.region, last.address, last.size);
    }
    free(old);
    return 0;
}

static uint32_t region_in(const counter_t *counter, uint32_t region, uint32_t address) {
    if (address >= counter->root_start && address < counter->root_end) {
        return 0;
    }
    for (uint32_t i = 0; i < counter->entry_count; ++i) {
        if (counter->entries[i] == address) {
            return i + 1U;
        }
    }
    return region;
}

/* Thumb: the top five bits tell (Armv7-M ARM, A5.1). RISC-V: the low two bits (ISA, 1.5). */
static uint32_t instruction_bytes(const counter_t *counter, uint16_t first) {
    if (counter->thumb) {
        return (first >> 11) >= 0x1D ? 4U : 2U;
    }
    return (first & 3U) == 3U ? 4U : 2U;
}

uint32_t smg_counter_instruction_bytes(const counter_t *counter, void *engine, uint32_t address) {
    uint16_t first = 0;
    (void)counter->mem_read(engine, address, &first, sizeof first);
    return instruction_bytes(counter, first);
}

uint32_t smg_counter_block_end(const counter_t *counter) {
    const block_t *last = counter->last == NONE ? NULL : &counter->blocks[counter->last];
    return last == NULL ? 0U : last->address + last->size;
}

static uint32_t instructions_in(const counter_t *counter, void *engine, uint32_t address,
                                uint32_t size) {
    uint32_t count = 0;
    for (uint32_t at = 0; at < size; ++count) {
        at += smg_counter_instruction_bytes(counter, engine, address + at);
    }
    return count;
}

static uint32_t find_or_add(counter_t *counter, void *engine, uint32_t address, uint32_t size) {
    uint32_t slot = find(counter, counter->region, address, size);
    if (counter->blocks[slot].used) {
        return slot;
    }
    if (counter->count * 2U >= counter->capacity) {
        if (grow(counter) != 0) {
            (void)counter->emu_stop(engine);
            return NONE;
        }
        slot = find(counter, counter->region, address, size);
    }
    const block_t fresh = {
        .address = address,
        .size = size,
        .region = counter->region,
        .becomes = region_in(counter, counter->region, address),
        .instructions = instructions_in(counter, engine, address, size),
        .used = 1,
    };
    counter->blocks[slot] = fresh;
    ++counter->count;
    return slot;
}

/* Unicorn calls it before each block (uc_cb_hookcode_t). */
void smg_counter_block(void *engine, uint64_t address64, uint32_t size, void *user) {
    counter_t *counter = user;
    const uint32_t address = (uint32_t)address64;
    if (counter->pause_after != 0U && counter->instructions >= counter->pause_at) {
        counter->pause_at = counter->instructions + counter->pause_after;
        counter->paused = 1;
        (void)counter->emu_stop(engine); /* the block is announced again when it goes on */
        return;
    }
    if (counter->last != NONE) {
        block_t *last = &counter->blocks[counter->last];
        last->taken += last->address + last->size != address;
        counter->waited = 0;
    }
    uint32_t slot = find_or_add(counter, engine, address, size);
    if (slot != NONE && counter->blocks[slot].becomes != counter->region) {
        counter->region = counter->blocks[slot].becomes;
        slot = find_or_add(counter, engine, address, size);
    }
    counter->last = slot;
    if (slot == NONE) {
        return;
    }
    counter->blocks[slot].executions += 1;
    if (counter->simulates) {
        note_simulated(counter, &counter->blocks[slot]);
        counter->blocks[slot].waits += counter->waited;
    } else if (counter->blocks[slot].simulated == 0U) {
        counter->unknown = 1;
    }
    counter->instructions += counter->blocks[slot].instructions;
    if (counter->instructions > counter->limit) {
        counter->stopped = 1;
        (void)counter->emu_stop(engine);
    }
}

void smg_counter_pause_after(counter_t *counter, uint64_t instructions) {
    counter->pause_after = instructions;
}

uint32_t smg_counter_paused(counter_t *counter) {
    const uint32_t paused = counter->paused;
    counter->paused = 0;
    return paused;
}

/* The block that ran last was left before `pc`, so only its part up to there has run, and waited.
 * What follows will be a block of its own; it takes over the wait for a first instruction that was
 * fetched and did not run. */
void smg_counter_interrupted(counter_t *counter, void *engine, uint32_t pc) {
    if (counter->last == NONE) {
        return;
    }
    block_t *last = &counter->blocks[counter->last];
    const uint32_t address = last->address;
    if (pc < address || pc >= address + last->size) {
        return;
    }
    counter->resuming = 1;
    --last->executions;
    if (counter->simulates) {
        --last->simulated;
        last->waits -= counter->waited;
    }
    counter->instructions -= last->instructions;
    counter->last = pc == address ? NONE : find_or_add(counter, engine, address, pc - address);
    if (counter->last != NONE) {
        block_t *part = &counter->blocks[counter->last];
        ++part->executions;
        if (counter->simulates) {
            note_simulated(counter, part);
            part->waits += counter->waited;
        }
        counter->instructions += part->instructions;
    }
}

uint32_t smg_counter_resuming(counter_t *counter) {
    const uint32_t resuming = counter->resuming;
    counter->resuming = 0;
    return resuming;
}

static void note_unaligned(counter_t *counter, void *engine, uint32_t pc, uint32_t address,
                           uint32_t size) {
    if (counter->unaligned_size == 0U) {
        counter->unaligned_pc = pc;
        counter->unaligned_address = address;
        counter->unaligned_size = size;
        (void)counter->emu_stop(engine);
    }
}

/* Unicorn calls it before each load and store (uc_cb_hookmem_t) of a core that forbids every
 * unaligned access. Not to be used on Thumb-2 code: Unicorn restores the state of IT blocks for a
 * memory hook and leaves it behind, so that later instructions are skipped. */
void smg_counter_access(void *engine, int type, uint64_t address, int size, int64_t value,
                        void *user) {
    counter_t *counter = user;
    (void)type;
    (void)value;
    if ((address & (uint64_t)(uint32_t)(size - 1)) != 0U) {
        uint32_t pc = 0;
        (void)counter->reg_read(engine, counter->pc_register, &pc);
        note_unaligned(counter, engine, pc, (uint32_t)address, (uint32_t)size);
    }
}

/* Unicorn calls it before the one instruction of a site (uc_cb_hookcode_t). */
void smg_counter_site(void *engine, uint64_t address, uint32_t size, void *user) {
    const site_t *site = user;
    uint32_t base = 0;
    (void)size;
    (void)site->counter->reg_read(engine, site->base_register, &base);
    if ((base & 3U) != 0U) {
        note_unaligned(site->counter, engine, (uint32_t)address, base, 4U);
    }
}
