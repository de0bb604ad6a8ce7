/* The memory of a board as its core sees it: regions with wait states, behind caches.
 *
 * The rules are in memory.py. Nothing here knows of an emulator: whoever follows the core tells
 * what it fetches and reaches, and is told the clocks for which it then waits. */
#ifndef SMG_MEMORY_H
#define SMG_MEMORY_H

#include <stdint.h>

#define SMG_NO_CACHE UINT32_MAX

/* Tags of one set lie in order of use, the last used first; a tag is line number + 1, 0 is empty.
 */
typedef struct {
    uint32_t line_bytes, sets, ways, spare;
    uint32_t *tags;
} cache_t;

/* Addresses from `start` to before `end`. `wait` clocks are added to a read of `read_bytes`. */
typedef struct {
    uint32_t start, end, wait, read_bytes, prefetch, code_cache, data_cache;
} region_t;

typedef struct {
    region_t *regions;
    cache_t *caches;
    uint32_t region_count, cache_count;
    uint32_t here, behind; /* the code that the last fetch brought */
    uint32_t since;        /* clocks of instructions since then */
} memory_t;

/* Copies both tables; -1 where there is no room for them. To be freed in either case. */
int smg_memory_init(memory_t *memory, const region_t *regions, uint32_t region_count,
                    const cache_t *caches, uint32_t cache_count);
void smg_memory_free(memory_t *memory);

/* The clocks that the core waits for the instruction of `size` bytes at `address`. */
uint32_t smg_memory_fetch(memory_t *memory, uint32_t address, uint32_t size);
/* The clocks that it waits for a load of `bytes`; for a store, none. */
uint32_t smg_memory_reach(memory_t *memory, uint32_t address, uint32_t bytes, uint32_t is_store);
/* Tells that the core was busy for so many clocks, in which code may have been read ahead. */
void smg_memory_passed(memory_t *memory, uint32_t clocks);

#endif
