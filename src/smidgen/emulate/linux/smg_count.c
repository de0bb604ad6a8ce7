/* A plugin of QEMU's user mode that counts how often each block of code runs, by layer.
 *
 * The declarations are those of QEMU's plugin interface, version 1 (documentation: "QEMU TCG
 * Plugins"), as far as they are used here. Arguments: `regions=FILE`, with 64-bit addresses: start
 * and end of the root function, then the entry of each layer; `table=FILE`, which has its full size
 * already and is mapped: a header, then one record for each block in each region that it ran in.
 *
 * Region 0 is the root function and what runs outside of layers, i + 1 is layer i and what it
 * calls. What runs between the two marks of smg_server.c is counted; smidgen reads the table and
 * clears the counts while the program waits for its next request. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*tb_callback_t)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_callback_t)(unsigned int cpu, void *user);
typedef void (*syscall_callback_t)(qemu_plugin_id_t id, unsigned int cpu, int64_t number,
                                   uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5,
                                   uint64_t a6, uint64_t a7, uint64_t a8);
enum { NO_REGISTERS = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback_t callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_callback_t callback,
                                          int flags, void *user);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, syscall_callback_t callback);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments);

#define EXPORTED __attribute__((visibility("default")))
#define SMG_MARK 0x534d47U
#define MOST_REGIONS 4096
#define KEEP UINT32_MAX

EXPORTED extern int qemu_plugin_version;
int qemu_plugin_version = 1;

typedef struct {
    uint32_t region, address, size, instructions;
    uint64_t executions;
    uint64_t taken; /* how often the next block was not the one that follows in memory */
} record_t;

typedef struct {
    uint32_t count, capacity;
    record_t records[];
} table_t;

/* A block as it was translated; `becomes` is the region that it starts, KEEP: the one that runs.
 * `latest` is its record in the region in which it ran last. */
typedef struct {
    uint32_t address, size, instructions, becomes;
    record_t *latest;
} block_t;

static uint64_t places[MOST_REGIONS + 2];
static uint32_t layers, region;
static int counting;
static table_t *table;
static record_t *before;

static uint32_t region_at(uint64_t address) {
    if (address >= places[0] && address < places[1]) {
        return 0;
    }
    for (uint32_t i = 0; i < layers; ++i) {
        if (places[2U + i] == address) {
            return i + 1U;
        }
    }
    return KEEP;
}

static int is_of(const record_t *record, const block_t *block) {
    return record->address == block->address && record->size == block->size &&
           record->region == region;
}

/* The record of `block` in the region that runs. */
static record_t *record_of(const block_t *block) {
    for (uint32_t i = 0; i < table->count; ++i) {
        if (is_of(&table->records[i], block)) {
            return &table->records[i];
        }
    }
    if (table->count == table->capacity) {
        abort();
    }
    record_t *record = &table->records[table->count++];
    *record = (record_t){region, block->address, block->size, block->instructions, 0, 0};
    return record;
}

static void on_block(unsigned int cpu, void *user) {
    block_t *block = user;
    (void)cpu;
    if (!counting) {
        return;
    }
    if (block->becomes != KEEP) {
        region = block->becomes;
    }
    if (block->latest == NULL || block->latest->region != region) {
        block->latest = record_of(block);
    }
    if (before != NULL && before->address + before->size != block->address) {
        ++before->taken;
    }
    before = block->latest;
    ++before->executions;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    const uint64_t address = qemu_plugin_tb_vaddr(tb) & ~(uint64_t)1;
    (void)id;
    block_t *block = calloc(1, sizeof *block); /* for as long as the process runs */
    if (block == NULL) {
        abort();
    }
    block->address = (uint32_t)address;
    block->instructions = (uint32_t)qemu_plugin_tb_n_insns(tb);
    for (size_t i = 0; i < block->instructions; ++i) {
        block->size += (uint32_t)qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    }
    block->becomes = region_at(address);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, block);
}

static void on_syscall(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1,
                       uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                       uint64_t a8) {
    (void)id, (void)cpu, (void)number, (void)a2, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (a1 == SMG_MARK) {
        counting = a3 == 0U;
        region = 0;
        before = NULL;
    }
}

static void read_places(const char *name) {
    FILE *file = fopen(name, "rb");
    const size_t found = file ? fread(places, sizeof places[0], MOST_REGIONS + 2, file) : 0;
    layers = found > 2U ? (uint32_t)found - 2U : 0U;
    if (file) {
        (void)fclose(file);
    }
}

static void map_table(const char *name) {
    struct stat status;
    const int file = open(name, O_RDWR);
    if (file < 0 || fstat(file, &status) != 0) {
        return;
    }
    void *place = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    table = place == MAP_FAILED ? NULL : place;
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count,
                                 char **arguments) {
    (void)info;
    for (int i = 0; i < count; ++i) {
        if (strncmp(arguments[i], "regions=", 8) == 0) {
            read_places(arguments[i] + 8);
        } else if (strncmp(arguments[i], "table=", 6) == 0) {
            map_table(arguments[i] + 6);
        }
    }
    if (table == NULL) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
    return 0;
}
