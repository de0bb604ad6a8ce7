/* A plugin for QEMU that counts how often each translation block runs, and what it waits for the
 * simulated memory of a board.
 *
 * The counts lie in a file that the plugin maps and smidgen reads while QEMU waits for its next
 * request: a header, the entries of layers, then one record for each block. What is declared here
 * is version 1 of QEMU's plugin interface (QEMU documentation, "QEMU TCG Plugins").
 *
 * Memory is followed while the header wants it. Only then are calls translated in for each
 * instruction and access, so that QEMU is as fast as ever otherwise: a change has QEMU forget what
 * it translated. See blocks.py and translation.py for what is written into the files. */
#include "memory.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0, READS_AND_WRITES = 3 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
unsigned qemu_plugin_mem_size_shift(uint32_t access);
bool qemu_plugin_mem_is_store(uint32_t access);
void qemu_plugin_reset(uint64_t id, void (*call)(uint64_t));
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*call)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned, void *),
                                          int flags, void *user);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*call)(unsigned, void *), int flags, void *user);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
                                      void (*call)(unsigned, uint32_t, uint64_t, void *), int flags,
                                      int kinds, void *user);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define NO_REGION UINT32_MAX
#define NOT_OURS UINT32_MAX
#define MOST_LAYERS 4096U

/* A record without a region counts all runs of a block; with simulated memory each region in which
 * it ran has a record more, chained by `next` (an index + 1), for what it waited there. */
typedef struct {
    uint32_t address, size, instructions, region;
    uint64_t executions;
    uint64_t taken; /* how often the next block was not the one that follows in memory */
    uint64_t simulated, waits;
    uint32_t next, is_firmware;
} block_t;

/* The root function, and the entries of the layers: layer i is region i + 1, all else region 0. */
typedef struct {
    uint32_t count, capacity;
    uint32_t follows; /* whether memory is to be followed */
    uint32_t root_start, root_end, layers;
    uint32_t entries[MOST_LAYERS];
    block_t blocks[];
} table_t;

/* Addresses from `start` to before `end` lie at `to` and behind it on the board itself. */
typedef struct {
    uint32_t start, end, to, is_code;
} span_t;

/* Caches, spans and regions, in this order, lie behind it. */
typedef struct {
    uint32_t region_count, cache_count, span_count, spare;
} board_t;

static uint64_t plugin;
static table_t *table;
static block_t *last;

static memory_t memory;
static const span_t *spans;
static uint32_t span_count;
static bool is_followed, is_resetting;
static uint32_t region;
static block_t *waiting; /* the record of the block that runs, in its region */
static struct {
    uint32_t start, end;
    bool is_store;
} reached; /* what the instruction that runs has reached so far; empty if `end` is `start` */

static const span_t *span_at(uint32_t address) {
    uint32_t low = 0;
    uint32_t high = span_count;
    while (low < high) {
        const uint32_t middle = (low + high) / 2U;
        if (spans[middle].end <= address) {
            low = middle + 1U;
        } else {
            high = middle;
        }
    }
    return low < span_count && spans[low].start <= address ? &spans[low] : NULL;
}

static bool is_firmware(uint32_t address) {
    const span_t *span = span_at(address);
    return span != NULL && span->is_code;
}

static uint32_t on_board(uint32_t address) {
    const span_t *span = span_at(address);
    return span == NULL ? NOT_OURS : address - span->start + span->to;
}

static block_t *add(uint32_t address, uint32_t size, uint32_t instructions, uint32_t in) {
    if (table->count == table->capacity) {
        return NULL;
    }
    block_t *block = &table->blocks[table->count++];
    *block =
        (block_t){.address = address, .size = size, .instructions = instructions, .region = in};
    return block;
}

/* Its record, which a block that is translated again has already; NULL when there is no room. */
static block_t *record(uint32_t address, uint32_t size, uint32_t instructions) {
    for (uint32_t i = 0; i < table->count; ++i) {
        const block_t *block = &table->blocks[i];
        if (block->address == address && block->size == size && block->region == NO_REGION) {
            return &table->blocks[i];
        }
    }
    block_t *block = add(address, size, instructions, NO_REGION);
    if (block != NULL) {
        block->is_firmware = is_firmware(address);
    }
    return block;
}

/* The record of `block` in the region that runs; NULL when there is no room. */
static block_t *in_region(block_t *block) {
    block_t *at = block;
    while (at->next != 0U) {
        at = &table->blocks[at->next - 1U];
        if (at->region == region) {
            return at;
        }
    }
    block_t *fresh = add(block->address, block->size, block->instructions, region);
    at->next = fresh == NULL ? 0U : table->count;
    return fresh;
}

static void wait_for(uint32_t clocks) {
    if (waiting != NULL) {
        waiting->waits += clocks;
    }
}

/* Has the core wait for what the last instruction reached. */
static void settle(void) {
    if (reached.start != reached.end) {
        const uint32_t bytes = reached.end - reached.start;
        const uint32_t clocks =
            smg_memory_reach(&memory, on_board(reached.start), bytes, reached.is_store);
        smg_memory_passed(&memory, clocks);
        wait_for(clocks);
        reached.end = reached.start;
    }
}

static void enter_region(uint32_t address) {
    if (address >= table->root_start && address < table->root_end) {
        region = 0;
        return;
    }
    for (uint32_t i = 0; i < table->layers; ++i) {
        if (table->entries[i] == address) {
            region = i + 1U;
            return;
        }
    }
}

/* Each call from outside comes from code that is not the firmware's, and starts in region 0. */
static void follow(block_t *block) {
    settle();
    waiting = NULL;
    if (!block->is_firmware) {
        region = 0;
        return;
    }
    enter_region(block->address);
    waiting = in_region(block);
    if (waiting != NULL) {
        ++waiting->simulated;
    }
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb);

static void on_reset(uint64_t id) {
    is_followed = table->follows != 0U;
    is_resetting = false;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
}

static void on_run(unsigned cpu, void *user) {
    block_t *block = user;
    (void)cpu;
    if (is_followed) {
        follow(block);
    }
    if (is_followed != (table->follows != 0U) && !is_resetting) {
        is_resetting = true;
        qemu_plugin_reset(plugin, on_reset);
    }
    if (last != NULL && last->address + last->size != block->address) {
        ++last->taken;
    }
    ++block->executions;
    last = block;
}

/* An instruction by its address on the board, with the low bit set if it has four bytes. */
static void on_instruction(unsigned cpu, void *user) {
    const uint32_t what = (uint32_t)(uintptr_t)user;
    (void)cpu;
    settle();
    wait_for(smg_memory_fetch(&memory, what & ~1U, (what & 1U) != 0U ? 4U : 2U));
    smg_memory_passed(&memory, 1U);
}

/* Vectors and lists of registers come in pieces, which are one access as far as they adjoin. */
static void on_access(unsigned cpu, uint32_t info, uint64_t address64, void *user) {
    const uint32_t address = (uint32_t)address64;
    const uint32_t bytes = 1U << qemu_plugin_mem_size_shift(info);
    const bool is_store = qemu_plugin_mem_is_store(info);
    (void)cpu;
    (void)user;
    if (reached.start == reached.end || reached.end != address || reached.is_store != is_store) {
        settle();
        reached.start = address;
        reached.is_store = is_store;
    }
    reached.end = address + bytes;
}

static void watch(struct qemu_plugin_insn *insn) {
    const uint32_t address = on_board((uint32_t)qemu_plugin_insn_vaddr(insn));
    const uint32_t what = address | (qemu_plugin_insn_size(insn) == 4U);
    void *user = (void *)(uintptr_t)what;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, on_instruction, NO_REGISTERS, user);
    qemu_plugin_register_vcpu_mem_cb(insn, on_access, NO_REGISTERS, READS_AND_WRITES, NULL);
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb) {
    const size_t count = qemu_plugin_tb_n_insns(tb);
    size_t size = 0;
    (void)id;
    for (size_t i = 0; i < count; ++i) {
        size += qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    }
    block_t *block = record((uint32_t)qemu_plugin_tb_vaddr(tb), (uint32_t)size, (uint32_t)count);
    if (block == NULL) {
        return;
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_run, NO_REGISTERS, block);
    for (size_t i = 0; is_followed && block->is_firmware && i < count; ++i) {
        watch(qemu_plugin_tb_get_insn(tb, i));
    }
}

/* The file at `path`, mapped; NULL if that fails. */
static void *mapped(const char *path) {
    struct stat status;
    const int file = open(path, O_RDWR);
    if (file < 0 || fstat(file, &status) != 0) {
        return NULL;
    }
    void *place = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    return place == MAP_FAILED ? NULL : place;
}

static int read_board(const char *path) {
    const board_t *board = mapped(path);
    if (board == NULL) {
        return -1;
    }
    const cache_t *caches = (const cache_t *)(const void *)(board + 1);
    const span_t *found = (const span_t *)(const void *)(caches + board->cache_count);
    const region_t *regions = (const region_t *)(const void *)(found + board->span_count);
    spans = found;
    span_count = board->span_count;
    return smg_memory_init(&memory, regions, board->region_count, caches, board->cache_count);
}

/* The value of an argument "key=value"; NULL if it has another key. */
static const char *value_of(const char *argument, const char *key) {
    const size_t length = strlen(key);
    return strncmp(argument, key, length) == 0 ? argument + length : NULL;
}

/* "table=" and the path of the file for counts, which has its full size already; then, perhaps,
 * "board=" and the path of what is known of the board's memory. */
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        const char *counts = value_of(argv[i], "table=");
        const char *board = value_of(argv[i], "board=");
        if (counts != NULL) {
            table = mapped(counts);
        } else if (board == NULL || read_board(board) != 0) {
            return -1;
        }
    }
    if (table == NULL) {
        return -1;
    }
    plugin = id;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
