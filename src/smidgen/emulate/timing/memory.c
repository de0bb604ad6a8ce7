/* Simulates what stands between a core and its memory; see memory.h, and memory.py for the rules.
 */
#include "memory.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define NO_REGION UINT32_MAX

void smg_memory_free(memory_t *memory) {
    for (uint32_t i = 0; memory->caches != NULL && i < memory->cache_count; ++i) {
        free(memory->caches[i].tags);
    }
    free(memory->caches);
    free(memory->regions);
}

static int copy_caches(memory_t *memory, const cache_t *caches, uint32_t count) {
    memory->caches = calloc((size_t)count + 1U, sizeof *caches);
    memory->cache_count = count;
    for (uint32_t i = 0; memory->caches != NULL && i < count; ++i) {
        cache_t *cache = &memory->caches[i];
        *cache = caches[i];
        cache->tags = calloc((size_t)cache->sets * cache->ways, sizeof *cache->tags);
        if (cache->tags == NULL) {
            return -1;
        }
    }
    return memory->caches == NULL ? -1 : 0;
}

int smg_memory_init(memory_t *memory, const region_t *regions, uint32_t region_count,
                    const cache_t *caches, uint32_t cache_count) {
    *memory = (memory_t){.region_count = region_count};
    memory->regions = calloc((size_t)region_count + 1U, sizeof *regions);
    if (memory->regions == NULL || copy_caches(memory, caches, cache_count) != 0) {
        return -1;
    }
    memcpy(memory->regions, regions, region_count * sizeof *regions);
    return 0;
}

static uint32_t region_of(const memory_t *memory, uint32_t address) {
    for (uint32_t i = 0; i < memory->region_count; ++i) {
        if (address >= memory->regions[i].start && address < memory->regions[i].end) {
            return i;
        }
    }
    return NO_REGION;
}

/* Whether the line of `address` is there; it is afterwards, in the place of the least used. */
static int in_cache(const cache_t *cache, uint32_t address) {
    const uint32_t line = address / cache->line_bytes;
    uint32_t *tags = cache->tags + (size_t)(line % cache->sets) * cache->ways;
    uint32_t way = 0;
    while (way + 1U < cache->ways && tags[way] != line + 1U) {
        ++way;
    }
    const int found = tags[way] == line + 1U;
    memmove(tags + 1, tags, way * sizeof *tags);
    tags[0] = line + 1U;
    return found;
}

/* The clocks until `bytes` have come, beyond the one that an access takes by itself. */
static uint32_t wait_for(const region_t *region, uint32_t bytes) {
    const uint32_t reads = (bytes + region->read_bytes - 1U) / region->read_bytes;
    return reads * (region->wait + 1U) - 1U;
}

static uint32_t bring_code(memory_t *memory, uint32_t address) {
    const uint32_t found = region_of(memory, address);
    if (found == NO_REGION || memory->regions[found].wait == 0U) {
        memory->here = found == NO_REGION ? address : memory->regions[found].start;
        memory->behind = found == NO_REGION ? address : memory->regions[found].end;
        return 0;
    }
    const region_t *region = &memory->regions[found];
    const cache_t *cache =
        region->code_cache == SMG_NO_CACHE ? NULL : &memory->caches[region->code_cache];
    const uint32_t bytes = cache == NULL ? region->read_bytes : cache->line_bytes;
    const uint32_t start = address / bytes * bytes;
    const int follows = start == memory->behind;
    const uint32_t since = memory->since;
    memory->here = start;
    memory->behind = start + bytes;
    memory->since = 0;
    if (cache != NULL && in_cache(cache, address)) {
        return 0;
    }
    const uint32_t wait = wait_for(region, bytes);
    const uint32_t ahead = region->prefetch && follows ? since : 0U;
    return wait > ahead ? wait - ahead : 0U;
}

static uint32_t fetch_byte(memory_t *memory, uint32_t address) {
    const int is_there = address >= memory->here && address < memory->behind;
    return is_there ? 0U : bring_code(memory, address);
}

uint32_t smg_memory_fetch(memory_t *memory, uint32_t address, uint32_t size) {
    const uint32_t first = fetch_byte(memory, address);
    return first + fetch_byte(memory, address + size - 1U);
}

uint32_t smg_memory_reach(memory_t *memory, uint32_t address, uint32_t bytes, uint32_t is_store) {
    const uint32_t found = region_of(memory, address);
    if (found == NO_REGION || memory->regions[found].wait == 0U) {
        return 0;
    }
    const region_t *region = &memory->regions[found];
    const cache_t *cache =
        region->data_cache == SMG_NO_CACHE ? NULL : &memory->caches[region->data_cache];
    const uint32_t step = cache == NULL ? region->read_bytes : cache->line_bytes;
    const uint32_t end = address + bytes;
    uint32_t clocks = 0;
    for (uint32_t at = address / step * step; at < end; at += step) {
        if (cache == NULL || !in_cache(cache, at)) {
            clocks += wait_for(region, step);
        }
    }
    return is_store ? 0U : clocks; /* a store waits in a buffer instead of the core */
}

void smg_memory_passed(memory_t *memory, uint32_t clocks) {
    memory->since += clocks;
}
