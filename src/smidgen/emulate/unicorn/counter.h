/* What the block counter (counter.c) offers to the simulation of memory (waits.c), and the types of
 * the emulator's functions. */
#ifndef SMG_COUNTER_H
#define SMG_COUNTER_H

#include <stdint.h>

typedef int (*mem_read_fn)(void *engine, uint64_t address, void *bytes, uint64_t size);
typedef int (*emu_stop_fn)(void *engine);
typedef int (*reg_read_fn)(void *engine, int id, void *value);

typedef struct counter counter_t;

/* What reads a register of the engine. */
reg_read_fn smg_counter_reg_read(const counter_t *counter);

/* The bytes of the instruction at `address`. */
uint32_t smg_counter_instruction_bytes(const counter_t *counter, void *engine, uint32_t address);

/* The address behind the block that runs. */
uint32_t smg_counter_block_end(const counter_t *counter);

/* Whether execution has been interrupted since this was asked last: the instruction that is told of
 * now may have been told of before. */
uint32_t smg_counter_resuming(counter_t *counter);

/* Whether runs of blocks are from now on noted as runs with simulated memory, for which
 * `smg_counter_waited` then tells the clocks that the running block waits. A block that runs again
 * in a later simulation forgets the earlier one. */
void smg_counter_simulate(counter_t *counter, uint32_t wanted);
void smg_counter_waited(counter_t *counter, uint64_t clocks);

#endif
