/* Simulates what stands between the core and its memory, and counts the clocks that it waits.
 *
 * Registered with Unicorn as a code hook on every instruction. Fetches and loads go to a region of
 * memory, perhaps through a cache; what is not there waits for the region. See waits.py for the
 * rules and what they leave out. Nothing here touches memory of the emulated board. */
#include "counter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NO_CACHE UINT32_MAX
#define NO_REGISTER (-1)
#define NO_REGION UINT32_MAX

/* Tags of one set lie in order of use, the last used first; a tag is line number + 1, 0 is empty.
 */
typedef struct {
    uint32_t line_bytes, sets, ways;
    uint32_t *tags;
} cache_t;

/* Addresses from `start` to before `end`. `wait` clocks are added to a read of `read_bytes`. */
typedef struct {
    uint32_t start, end, wait, read_bytes, prefetch, code_cache, data_cache;
} region_t;

/* What one load or store reaches: base + (index << shift) + offset, on `bytes`. */
typedef struct {
    int32_t base, index;
    uint32_t shift;
    int32_t offset;
    uint32_t bytes, is_store;
} access_t;

typedef struct {
    counter_t *counter;
    region_t *regions;
    uint32_t region_count;
    cache_t *caches;
    uint32_t cache_count;
    uint32_t code_start, code_halfwords;
    const uint32_t *access_at; /* for each halfword of code: 0, or an access + 1 */
    const access_t *accesses;
    uint32_t here, behind; /* the code that the last fetch brought */
    uint32_t since;        /* instructions since then */
} waits_t;

waits_t *smg_waits_new(counter_t *counter, const region_t *regions, uint32_t region_count,
                       const cache_t *caches, uint32_t cache_count);
void smg_waits_free(waits_t *waits);
void smg_waits_code(waits_t *waits, uint32_t start, uint32_t halfwords, const uint32_t *access_at,
                    const access_t *accesses);
void smg_waits_instruction(void *engine, uint64_t address, uint32_t size, void *user);

void smg_waits_free(waits_t *waits) {
    if (waits != NULL) {
        for (uint32_t i = 0; waits->caches != NULL && i < waits->cache_count; ++i) {
            free(waits->caches[i].tags);
        }
        free(waits->caches);
        free(waits->regions);
        free(waits);
    }
}

static int copy_caches(waits_t *waits, const cache_t *caches, uint32_t count) {
    waits->caches = calloc((size_t)count + 1U, sizeof *caches);
    waits->cache_count = count;
    for (uint32_t i = 0; waits->caches != NULL && i < count; ++i) {
        cache_t *cache = &waits->caches[i];
        *cache = caches[i];
        cache->tags = calloc((size_t)cache->sets * cache->ways, sizeof *cache->tags);
        if (cache->tags == NULL) {
            return -1;
        }
    }
    return waits->caches == NULL ? -1 : 0;
}

waits_t *smg_waits_new(counter_t *counter, const region_t *regions, uint32_t region_count,
                       const cache_t *caches, uint32_t cache_count) {
    waits_t *waits = calloc(1, sizeof *waits);
    if (waits == NULL) {
        return NULL;
    }
    waits->counter = counter;
    waits->region_count = region_count;
    waits->regions = calloc((size_t)region_count + 1U, sizeof *regions);
    if (waits->regions == NULL || copy_caches(waits, caches, cache_count) != 0) {
        smg_waits_free(waits);
        return NULL;
    }
    memcpy(waits->regions, regions, region_count * sizeof *regions);
    return waits;
}

/* Both tables must stay where they are for as long as they are used. */
void smg_waits_code(waits_t *waits, uint32_t start, uint32_t halfwords, const uint32_t *access_at,
                    const access_t *accesses) {
    waits->code_start = start;
    waits->code_halfwords = halfwords;
    waits->access_at = access_at;
    waits->accesses = accesses;
}

static uint32_t region_of(const waits_t *waits, uint32_t address) {
    for (uint32_t i = 0; i < waits->region_count; ++i) {
        if (address >= waits->regions[i].start && address < waits->regions[i].end) {
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

static uint32_t bring_code(waits_t *waits, uint32_t address) {
    const uint32_t found = region_of(waits, address);
    if (found == NO_REGION || waits->regions[found].wait == 0U) {
        waits->here = found == NO_REGION ? address : waits->regions[found].start;
        waits->behind = found == NO_REGION ? address : waits->regions[found].end;
        return 0;
    }
    const region_t *region = &waits->regions[found];
    const cache_t *cache =
        region->code_cache == NO_CACHE ? NULL : &waits->caches[region->code_cache];
    const uint32_t bytes = cache == NULL ? region->read_bytes : cache->line_bytes;
    const uint32_t start = address / bytes * bytes;
    const int follows = start == waits->behind;
    const uint32_t since = waits->since;
    waits->here = start;
    waits->behind = start + bytes;
    waits->since = 0;
    if (cache != NULL && in_cache(cache, address)) {
        return 0;
    }
    const uint32_t wait = wait_for(region, bytes);
    const uint32_t ahead = region->prefetch && follows ? since : 0U;
    return wait > ahead ? wait - ahead : 0U;
}

static uint32_t fetch(waits_t *waits, uint32_t address) {
    return address >= waits->here && address < waits->behind ? 0U : bring_code(waits, address);
}

static uint32_t reach(const waits_t *waits, uint32_t address, const access_t *access) {
    const uint32_t found = region_of(waits, address);
    if (found == NO_REGION || waits->regions[found].wait == 0U) {
        return 0;
    }
    const region_t *region = &waits->regions[found];
    uint32_t clocks = 0;
    const cache_t *cache =
        region->data_cache == NO_CACHE ? NULL : &waits->caches[region->data_cache];
    const uint32_t bytes = cache == NULL ? region->read_bytes : cache->line_bytes;
    const uint32_t end = address + access->bytes;
    for (uint32_t at = address / bytes * bytes; at < end; at += bytes) {
        if (cache == NULL || !in_cache(cache, at)) {
            clocks += wait_for(region, bytes);
        }
    }
    return access->is_store ? 0U : clocks; /* a store waits in a buffer instead of the core */
}

static uint32_t address_of(const waits_t *waits, void *engine, const access_t *access) {
    uint32_t address = (uint32_t)access->offset;
    if (access->base != NO_REGISTER) {
        address += smg_counter_register(waits->counter, engine, access->base);
    }
    if (access->index != NO_REGISTER) {
        address += smg_counter_register(waits->counter, engine, access->index) << access->shift;
    }
    return address;
}

/* Unicorn calls it before each instruction (uc_cb_hookcode_t). */
void smg_waits_instruction(void *engine, uint64_t address64, uint32_t size, void *user) {
    waits_t *waits = user;
    const uint32_t address = (uint32_t)address64;
    const uint32_t fetched = fetch(waits, address) + fetch(waits, address + size - 1U);
    const uint32_t at = (address - waits->code_start) / 2U;
    const uint32_t found = at < waits->code_halfwords ? waits->access_at[at] : 0U;
    uint32_t loaded = 0;
    if (found != 0U) {
        const access_t *access = &waits->accesses[found - 1U];
        loaded = reach(waits, address_of(waits, engine, access), access);
    }
    waits->since += 1U + loaded;
    if (fetched + loaded != 0U) {
        smg_counter_waited(waits->counter, fetched + loaded);
    }
}
