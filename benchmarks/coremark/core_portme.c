/* CoreMark as two calls. `prepare` sets up what its main() sets up for a 2K performance run; `run`
 * does so many iterations, which is what the rules of CoreMark want timed, and leaves the CRCs for
 * the emulator to read. main() itself, with its clock and its console, is not linked. */
#include "coremark.h"

enum { ALGORITHMS = 3, ALL_BYTES = 2000, EACH_BYTES = ALL_BYTES / ALGORITHMS };

/* The seeds of a performance run, which the compiler must not know. */
volatile ee_s32 seed1_volatile = 0;
volatile ee_s32 seed2_volatile = 0;
volatile ee_s32 seed3_volatile = 0x66;

/* Of lists, of matrices, of states, and of everything. */
ee_u16 smg_coremark_crcs[4];

static ee_u32 memory[ALL_BYTES / sizeof(ee_u32)];
static core_results results;

void smg_coremark_prepare(void) {
    ee_u8 *const start = (ee_u8 *)memory;
    results.seed1 = (ee_s16)seed1_volatile;
    results.seed2 = (ee_s16)seed2_volatile;
    results.seed3 = (ee_s16)seed3_volatile;
    results.execs = ALL_ALGORITHMS_MASK;
    results.size = EACH_BYTES;
    results.memblock[0] = start;
    for (ee_u32 i = 0; i < ALGORITHMS; ++i) {
        results.memblock[i + 1U] = start + i * EACH_BYTES;
    }
    const ee_s32 matrix_seed = results.seed1 | ((ee_s32)results.seed2 << 16);
    results.list = core_list_init(EACH_BYTES, results.memblock[1], results.seed1);
    core_init_matrix(EACH_BYTES, results.memblock[2], matrix_seed, &results.mat);
    core_init_state(EACH_BYTES, results.seed1, results.memblock[3]);
}

void smg_coremark_run(ee_u32 iterations) {
    results.iterations = iterations;
    iterate(&results);
    smg_coremark_crcs[0] = results.crclist;
    smg_coremark_crcs[1] = results.crcmatrix;
    smg_coremark_crcs[2] = results.crcstate;
    smg_coremark_crcs[3] = results.crc;
}
