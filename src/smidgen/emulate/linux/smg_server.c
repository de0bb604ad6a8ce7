/* The program around a model on an emulated Linux board: reads and writes memory, and calls
 * functions.
 *
 * Requests come in on standard input and answers go out on standard output: 7 little-endian words,
 * command and operands, as `../qemu/session.py` has them. All addresses fit into 32 bits, because
 * the program is linked to fixed places. It stands without a C library and does its own system
 * calls (Linux man pages, syscall(2): registers; the tables of numbers of each architecture).
 *
 * Around a call it writes to a file descriptor that nobody has open, SMG_MARK: the plugin that
 * counts blocks (`smg_count.c`) knows it by that. What runs between the marks beside the function
 * is called smg_server_..., by which smidgen tells it from the model's. */
#include <stdint.h>

enum { READ = 'R', WRITE = 'W', CALL = 'C', STACK = 'S' };
enum { OWN_STACK = 256, PAINT = 0xa5 }; /* as linux/machine.py has them */
enum { DONE = 0x4b4f, WORDS_OF_REQUEST = 7, FROM_HOST = 0, TO_HOST = 1 };
enum { INTERRUPTED = -4 }; /* EINTR: a debugger has stopped the call */
#define SMG_MARK 0x534d47

#if defined(__arm__)
enum { SYS_EXIT = 1, SYS_READ = 3, SYS_WRITE = 4 };
#define ENTER "ldr sp, =__stack_top\n b smg_server_main\n .ltorg\n"
#define READ_STACK_POINTER "mov %0, sp"
#define SYSTEM_CALL "svc #0"
#define NUMBER "r7"
#define ARGUMENTS "r0", "r1", "r2"
#define LINK "lr"
#elif defined(__aarch64__)
enum { SYS_EXIT = 93, SYS_READ = 63, SYS_WRITE = 64 };
#define ENTER                                                                                      \
    "adrp x0, __stack_top\n add x0, x0, :lo12:__stack_top\n mov sp, x0\n b smg_server_main\n"
#define READ_STACK_POINTER "mov %0, sp"
#define SYSTEM_CALL "svc #0"
#define NUMBER "x8"
#define ARGUMENTS "x0", "x1", "x2"
#define LINK "x30"
#elif defined(__riscv)
enum { SYS_EXIT = 93, SYS_READ = 63, SYS_WRITE = 64 };
#define ENTER "la sp, __stack_top\n j smg_server_main\n"
#define READ_STACK_POINTER "mv %0, sp"
#define SYSTEM_CALL "ecall"
#define NUMBER "a7"
#define ARGUMENTS "a0", "a1", "a2"
#define LINK "ra"
#endif

__asm__(".section .text.smg_server_start, \"ax\"\n"
        ".globl smg_server_start\n"
        ".type smg_server_start, %function\n"
        "smg_server_start:\n" ENTER ".text\n");

#define IN(name) __asm__(name)
#define SYSTEM_CALL_WITH(number, first, second, third)                                             \
    register intptr_t n IN(NUMBER) = (number);                                                     \
    register intptr_t a IN(first) = one;                                                           \
    register intptr_t b IN(second) = two;                                                          \
    register intptr_t c IN(third) = three;                                                         \
    __asm__ volatile(SYSTEM_CALL : "+r"(a) : "r"(n), "r"(b), "r"(c) : "memory")
#define EXPANDED(...) SYSTEM_CALL_WITH(__VA_ARGS__)

typedef uint32_t (*function_t)(uintptr_t, uintptr_t, uintptr_t, uintptr_t);

extern char __stack_top[]; /* of the linker script */

static uint32_t request[WORDS_OF_REQUEST];
static uintptr_t called_at; /* the stack pointer from which functions are called */

void smg_server_main(void);

static intptr_t smg_server_system(intptr_t number, intptr_t one, intptr_t two, intptr_t three) {
    EXPANDED(number, ARGUMENTS);
    return a;
}

static void quit(void) {
    for (;;) {
        (void)smg_server_system(SYS_EXIT, 1, 0, 0);
    }
}

/* No progress means that the host is gone. */
static void transfer(intptr_t number, intptr_t file, uintptr_t address, uint32_t count) {
    while (count > 0U) {
        const intptr_t done = smg_server_system(number, file, (intptr_t)address, (intptr_t)count);
        if (done == INTERRUPTED) {
            continue;
        }
        if (done <= 0) {
            quit();
        }
        address += (uintptr_t)done;
        count -= (uint32_t)done;
    }
}

static void answer(const uint32_t *words, uint32_t count) {
    transfer(SYS_WRITE, TO_HOST, (uintptr_t)words, 4U * count);
}

static void smg_server_mark(intptr_t is_end) {
    (void)smg_server_system(SYS_WRITE, SMG_MARK, (intptr_t)(uintptr_t)request, is_end);
}

/* What lies below the frame of the caller gets the pattern that the host has put further below,
 * once in the life of the program. Nothing is called here and nothing interrupts, so nobody uses
 * it. */
static inline __attribute__((always_inline)) void smg_server_paint(void) {
    if (called_at == 0U) {
        __asm__ volatile(READ_STACK_POINTER : "=r"(called_at));
        for (uintptr_t at = (uintptr_t)__stack_top - OWN_STACK; at < called_at; ++at) {
            *(volatile uint8_t *)at = PAINT;
        }
    }
}

__attribute__((noinline)) static void smg_server_invoke(void) {
    const function_t function = (function_t)(uintptr_t)request[1];
    uint32_t words[2] = {DONE, 0};
    smg_server_paint();
    smg_server_mark(0);
    words[1] = function(request[2], request[3], request[4], request[5]);
    smg_server_mark(1);
    answer(words, 2);
}

static void serve(void) {
    const uint32_t words[2] = {DONE, (uint32_t)called_at};
    switch (request[0]) {
    case READ:
        answer(words, 1);
        transfer(SYS_WRITE, TO_HOST, request[1], request[2]);
        return;
    case WRITE:
        transfer(SYS_READ, FROM_HOST, request[1], request[2]);
        break;
    case CALL:
        smg_server_invoke();
        return;
    case STACK:
        break;
    default:
        quit();
    }
    answer(words, 2);
}

/* The outermost function: a debugger is to look for nothing above it. */
__attribute__((used)) void smg_server_main(void) {
    __asm__ volatile(".cfi_undefined " LINK);
    for (;;) {
        transfer(SYS_READ, FROM_HOST, (uintptr_t)request, sizeof request);
        serve();
    }
}
