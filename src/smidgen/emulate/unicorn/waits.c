/* Follows the core through the simulated memory of its board (memory.h).
 *
 * Registered with Unicorn as a code hook on every instruction. Nothing here touches memory of the
 * emulated board: what a load or store reaches is computed from its registers. */
#include "accesses.h"
#include "counter.h"
#include "memory.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct {
    counter_t *counter;
    reg_read_fn reg_read;
    memory_t memory;
    accesses_t accesses;
    uint32_t next, block_end; /* behind the last instruction, and behind its block */
} waits_t;

waits_t *smg_waits_new(counter_t *counter, const region_t *regions, uint32_t region_count,
                       const cache_t *caches, uint32_t cache_count);
void smg_waits_free(waits_t *waits);
void smg_waits_code(waits_t *waits, const accesses_t *accesses);
void smg_waits_instruction(void *engine, uint64_t address, uint32_t size, void *user);

void smg_waits_free(waits_t *waits) {
    if (waits != NULL) {
        smg_memory_free(&waits->memory);
        free(waits);
    }
}

waits_t *smg_waits_new(counter_t *counter, const region_t *regions, uint32_t region_count,
                       const cache_t *caches, uint32_t cache_count) {
    waits_t *waits = calloc(1, sizeof *waits);
    if (waits == NULL) {
        return NULL;
    }
    waits->counter = counter;
    waits->reg_read = smg_counter_reg_read(counter);
    if (smg_memory_init(&waits->memory, regions, region_count, caches, cache_count) != 0) {
        smg_waits_free(waits);
        return NULL;
    }
    return waits;
}

void smg_waits_code(waits_t *waits, const accesses_t *accesses) {
    waits->accesses = *accesses;
}

/* Unicorn does not tell of instructions that an IT block skips, which are fetched all the same and
 * take a clock: those between the last one and `address`, or the end of their block. */
static uint32_t pass_skipped(waits_t *waits, void *engine, uint32_t address) {
    const uint32_t end = smg_counter_block_end(waits->counter);
    if (smg_counter_resuming(waits->counter)) {
        waits->next = waits->block_end = address;
    }
    const uint32_t behind =
        end == waits->block_end && address >= waits->next ? address : waits->block_end;
    uint32_t clocks = 0;
    for (uint32_t at = waits->next; at < behind;) {
        const uint32_t size = smg_counter_instruction_bytes(waits->counter, engine, at);
        clocks += smg_memory_fetch(&waits->memory, at, size);
        smg_memory_passed(&waits->memory, 1U);
        at += size;
    }
    waits->block_end = end;
    return clocks;
}

/* Unicorn calls it before each instruction (uc_cb_hookcode_t). */
void smg_waits_instruction(void *engine, uint64_t address64, uint32_t size, void *user) {
    waits_t *waits = user;
    const uint32_t address = (uint32_t)address64;
    const uint32_t skipped = pass_skipped(waits, engine, address);
    const uint32_t fetched = skipped + smg_memory_fetch(&waits->memory, address, size);
    const access_t *access = smg_access_at(&waits->accesses, address);
    uint32_t loaded = 0;
    if (access != NULL) {
        const uint32_t where = smg_access_address(access, waits->reg_read, engine);
        loaded = smg_memory_reach(&waits->memory, where, access->bytes, access->is_store);
    }
    smg_memory_passed(&waits->memory, 1U + loaded);
    waits->next = address + size;
    if (fetched + loaded != 0U) {
        smg_counter_waited(waits->counter, fetched + loaded);
    }
}
