/* A plugin of QEMU's user mode that counts instructions by layer.
 *
 * The declarations are those of QEMU's plugin interface, version 1 (documentation: "QEMU TCG
 * Plugins"), as far as they are used here. Arguments: `regions=FILE`, with 64-bit addresses: start
 * and end of the root function, then the entry of each layer; `handle=N`, where the counts go.
 *
 * Region 0 is the root function and what runs outside of layers, i + 1 is layer i and what it
 * calls. The counts start at the first mark of smg_server.c and are written out at the second. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, tb_callback_t callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_callback_t callback,
                                          int flags, void *user);
void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t id, syscall_callback_t callback);
int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count, char **arguments);

#define EXPORTED __attribute__((visibility("default")))
#define SMG_MARK 0x534d47U
#define MOST_REGIONS 4096

/* What a block adds, and the region that it starts; KEEP: the one that is running. */
typedef struct {
    uint32_t instructions, becomes;
} block_t;
#define KEEP UINT32_MAX

EXPORTED extern int qemu_plugin_version;
int qemu_plugin_version = 1;

static uint64_t places[MOST_REGIONS + 2], counts[MOST_REGIONS + 1];
static uint32_t layers, region;
static int handle = -1;

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

static void on_block(unsigned int cpu, void *user) {
    const block_t *block = user;
    (void)cpu;
    if (block->becomes != KEEP) {
        region = block->becomes;
    }
    counts[region] += block->instructions;
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    block_t *block = malloc(sizeof *block); /* for as long as the process runs */
    if (block == NULL) {
        abort();
    }
    block->instructions = (uint32_t)qemu_plugin_tb_n_insns(tb);
    block->becomes = region_at(qemu_plugin_tb_vaddr(tb) & ~(uint64_t)1);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, block);
}

static void on_syscall(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a1,
                       uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5, uint64_t a6, uint64_t a7,
                       uint64_t a8) {
    const size_t bytes = (layers + 1U) * sizeof counts[0];
    (void)id, (void)cpu, (void)number, (void)a2, (void)a4, (void)a5, (void)a6, (void)a7, (void)a8;
    if (a1 != SMG_MARK) {
        return;
    }
    if (a3 == 0U) {
        memset(counts, 0, bytes);
        region = 0;
    } else if (write(handle, counts, bytes) != (ssize_t)bytes) {
        abort();
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

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int count,
                                 char **arguments) {
    (void)info;
    for (int i = 0; i < count; ++i) {
        if (strncmp(arguments[i], "regions=", 8) == 0) {
            read_places(arguments[i] + 8);
        } else if (strncmp(arguments[i], "handle=", 7) == 0) {
            handle = atoi(arguments[i] + 7);
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
    qemu_plugin_register_vcpu_syscall_cb(id, on_syscall);
    return 0;
}
