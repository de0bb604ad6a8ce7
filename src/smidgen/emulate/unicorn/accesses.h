/* Which address each load and store of linked code reaches, in the form that hooks look up. See
 * `../linked/accesses.py` for how it is read off the instructions, access_table.py for the table.
 */
#ifndef SMG_ACCESSES_H
#define SMG_ACCESSES_H

#include "counter.h"

#include <stddef.h>
#include <stdint.h>

#define NO_REGISTER (-1)

/* base + (index << shift) + offset, on `bytes`. */
typedef struct {
    int32_t base, index;
    uint32_t shift;
    int32_t offset;
    uint32_t bytes, is_load, is_store;
} access_t;

/* The tables stay where they are for as long as they are used. */
typedef struct {
    uint32_t code_start, code_halfwords;
    const uint32_t *access_at; /* for each halfword of code: 0, or an access + 1 */
    const access_t *accesses;
} accesses_t;

/* What the instruction at `pc` reaches; NULL where it is no load or store. */
static inline const access_t *smg_access_at(const accesses_t *table, uint32_t pc) {
    const uint32_t at = (pc - table->code_start) / 2U;
    const uint32_t found = at < table->code_halfwords ? table->access_at[at] : 0U;
    return found == 0U ? NULL : &table->accesses[found - 1U];
}

static inline uint32_t smg_access_register(reg_read_fn reg_read, void *engine, int32_t id) {
    uint64_t value = 0; /* as wide as any register that the engine may write */
    if (id != NO_REGISTER) {
        (void)reg_read(engine, id, &value);
    }
    return (uint32_t)value;
}

/* The first of its bytes, before the instruction has run. */
static inline uint32_t smg_access_address(const access_t *access, reg_read_fn reg_read,
                                          void *engine) {
    return smg_access_register(reg_read, engine, access->base) +
           (smg_access_register(reg_read, engine, access->index) << access->shift) +
           (uint32_t)access->offset;
}

#endif
