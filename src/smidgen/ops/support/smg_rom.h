/* smg_rom.h: constants in flash, on cores whose plain loads do not reach it (8-bit AVR).
 *
 * A kernel that takes an operand from RAM or from flash gets a plain pointer. Addresses behind the
 * RAM mean flash: there is nothing else at them. So tables must lie in the first 64 KB of the
 * flash, less the RAM.
 */
#ifndef SMG_ROM_H
#define SMG_ROM_H

#include <avr/io.h>

#include "smg.h"

#define SMG_BEHIND_RAM(table) ((uint16_t)(table) + (uint16_t)(RAMEND + 1u))

SMG_INLINE bool smg_is_in_rom(const void *pointer) {
    return (uint16_t)pointer > RAMEND;
}

SMG_INLINE const SMG_ROM void *smg_in_rom(const void *pointer) {
    return (const SMG_ROM void *)((uint16_t)pointer - (uint16_t)(RAMEND + 1u));
}

SMG_SMALL static void smg_from_rom(void *to, const SMG_ROM void *from, size_t count) {
    const SMG_ROM uint8_t *source = (const SMG_ROM uint8_t *)from;
    uint8_t *target = (uint8_t *)to;
    for (size_t i = 0; i < count; ++i) {
        target[i] = source[i];
    }
}

#endif
