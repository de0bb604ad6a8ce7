/* A plugin for QEMU that counts how often each translation block runs.
 *
 * The counts lie in a file that the plugin maps and smidgen reads while QEMU waits for its next
 * request: a header, then one record for each block. What is declared here is version 1 of QEMU's
 * plugin interface (QEMU documentation, "QEMU TCG Plugins"). */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { NO_REGISTERS = 0 };

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                           void (*call)(uint64_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, void (*call)(unsigned, void *),
                                          int flags, void *user);

extern int qemu_plugin_version;
int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

typedef struct {
    uint32_t address, size, instructions, spare;
    uint64_t executions;
    uint64_t taken; /* how often the next block was not the one that follows in memory */
} block_t;

typedef struct {
    uint32_t count, capacity;
    uint64_t spare;
    block_t blocks[];
} table_t;

static table_t *table;
static block_t *last;

static void on_run(unsigned cpu, void *user) {
    block_t *block = user;
    (void)cpu;
    if (last != NULL && last->address + last->size != block->address) {
        ++last->taken;
    }
    ++block->executions;
    last = block;
}

/* Its record, which a block that is translated again has already; NULL when there is no room. */
static block_t *record(uint32_t address, uint32_t size, uint32_t instructions) {
    for (uint32_t i = 0; i < table->count; ++i) {
        if (table->blocks[i].address == address && table->blocks[i].size == size) {
            return &table->blocks[i];
        }
    }
    if (table->count == table->capacity) {
        return NULL;
    }
    block_t *block = &table->blocks[table->count++];
    *block = (block_t){.address = address, .size = size, .instructions = instructions};
    return block;
}

static void on_translation(uint64_t id, struct qemu_plugin_tb *tb) {
    const size_t count = qemu_plugin_tb_n_insns(tb);
    size_t size = 0;
    (void)id;
    for (size_t i = 0; i < count; ++i) {
        size += qemu_plugin_insn_size(qemu_plugin_tb_get_insn(tb, i));
    }
    block_t *block = record((uint32_t)qemu_plugin_tb_vaddr(tb), (uint32_t)size, (uint32_t)count);
    if (block != NULL) {
        qemu_plugin_register_vcpu_tb_exec_cb(tb, on_run, NO_REGISTERS, block);
    }
}

/* The one argument is "table=" and the path of the file, which has its full size already. */
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv) {
    static const char key[] = "table=";
    struct stat status;
    (void)info;
    if (argc != 1 || strncmp(argv[0], key, sizeof key - 1U) != 0) {
        return -1;
    }
    const int file = open(argv[0] + sizeof key - 1U, O_RDWR);
    if (file < 0 || fstat(file, &status) != 0) {
        return -1;
    }
    void *place = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    (void)close(file);
    if (place == MAP_FAILED) {
        return -1;
    }
    table = place;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    return 0;
}
