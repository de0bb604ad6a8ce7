/* The monitor that answers smidgen from inside QEMU: reads and writes memory, and calls functions.
 *
 * Requests come in on the host's standard input and answers go out on its standard output, through
 * Arm semihosting (see `session.py` for their layout). Functions are called in thread mode on the
 * firmware's own stack, so that a fault there still leaves the monitor's stack to report it from.
 * Everything that the monitor writes lies in a memory region of its own, which no build touches.
 *
 * SMG_COUNTERS is the address of two free-running counters of the board, which under -icount tick
 * in step with the instructions that are executed: a slow one, and behind it a fast one. The fast
 * one wraps within long calls, and the slow one tells how often. */
#include <stdbool.h>
#include <stdint.h>

#define OWN __attribute__((section(".monitor"), used))
#define KEPT __attribute__((used))

enum { READ = 'R', WRITE = 'W', FILL = 'F', MOVE = 'M', COMPARE = 'D', CALL = 'C', IDLE = 'I' };
enum { DONE = 0x4b4f, FAULT = 0x544c };
enum { STACK_LIMIT = 1u << 20, BUS_STACKING = 1u << 12, MEMORY_STACKING = 1u << 4 }; /* of CFSR */
enum { SYS_OPEN = 0x01, SYS_WRITE = 0x05, SYS_READ = 0x06, SYS_EXIT = 0x18 };
enum { OPEN_READ_BINARY = 1, OPEN_WRITE_BINARY = 5, EXIT_BY_PROGRAM = 0x20026 };

#define WORDS_OF_REQUEST 7
#define REGISTER(address) (*(volatile uint32_t *)(address))
#define CPACR REGISTER(0xE000ED88u)
#define CFSR REGISTER(0xE000ED28u)
#define HFSR REGISTER(0xE000ED2Cu)
#define MMFAR REGISTER(0xE000ED34u)
#define BFAR REGISTER(0xE000ED38u)

/* A call, in the order in which `smg_monitor_invoke` loads them. */
typedef struct {
    uint32_t function, stack, arguments[4], result, before, after;
} call_t;

typedef struct {
    uint32_t slow, fast;
} counters_t;

OWN uint64_t smg_monitor_stack[512];
OWN static uint32_t to_host, from_host;
OWN static uint32_t request[WORDS_OF_REQUEST];
OWN static call_t call;
OWN static uint32_t block[4];

void smg_monitor_start(void);
void smg_monitor_fault(void);
void smg_monitor_nothing(void);
void smg_monitor_report(const uint32_t *frame);
void smg_monitor_invoke(call_t *what, const volatile uint32_t *counter);
void smg_monitor_main(void);
void smg_monitor_idle(uint32_t rounds);

static uint32_t semihost(uint32_t operation, const void *arguments) {
    register uint32_t r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = arguments;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

static uint32_t open_file(const char *name, uint32_t length, uint32_t mode) {
    block[0] = (uint32_t)(uintptr_t)name;
    block[1] = mode;
    block[2] = length;
    return semihost(SYS_OPEN, block);
}

static void quit(void) {
    for (;;) {
        (void)semihost(SYS_EXIT, (const void *)(uintptr_t)EXIT_BY_PROGRAM);
    }
}

/* Both calls give the bytes that are still to do; no progress means that the host is gone. */
static void transfer(uint32_t operation, uint32_t file, uint32_t address, uint32_t count) {
    while (count > 0u) {
        block[0] = file;
        block[1] = address;
        block[2] = count;
        const uint32_t left = semihost(operation, block);
        if (left >= count) {
            quit();
        }
        address += count - left;
        count = left;
    }
}

static void answer(const void *words, uint32_t count) {
    transfer(SYS_WRITE, to_host, (uint32_t)(uintptr_t)words, 4u * count);
}

static void fill(volatile uint8_t *to, uint32_t count, uint8_t value) {
    while (count-- > 0u) {
        *to++ = value;
    }
}

static void move(volatile uint8_t *to, const volatile uint8_t *from, uint32_t count) {
    while (count-- > 0u) {
        *to++ = *from++;
    }
}

static uint32_t differing(const volatile uint8_t *a, const volatile uint8_t *b, uint32_t count) {
    uint32_t found = 0;
    while (count-- > 0u) {
        found += *a++ != *b++;
    }
    return found;
}

/* r4 holds the call and r5 the counter over the call: callee-saved registers. */
__attribute__((naked)) void smg_monitor_invoke(call_t *what, const volatile uint32_t *counter) {
    __asm__ volatile(
        "push {r4-r11, lr}\n"
        "mov r4, r0\n"
        "mov r5, r1\n"
        "ldr r0, [r4, #4]\n"
        "msr psp, r0\n"
        "mrs r0, control\n orr r0, #2\n msr control, r0\n isb\n"
        "ldr r12, [r4]\n"
        "ldr r0, [r4, #8]\n ldr r1, [r4, #12]\n ldr r2, [r4, #16]\n ldr r3, [r4, #20]\n"
        "ldr r6, [r5]\n str r6, [r4, #28]\n"
        "blx r12\n"
        "ldr r6, [r5]\n str r6, [r4, #32]\n"
        "str r0, [r4, #24]\n"
        "mrs r0, control\n bic r0, #2\n msr control, r0\n isb\n"
        "pop {r4-r11, pc}\n");
}

/* What a call costs beside the function: smidgen calls this once and subtracts. */
__attribute__((naked)) void smg_monitor_nothing(void) {
    __asm__ volatile("bx lr\n");
}

static void invoke(void) {
    call.function = request[1] | 1u;
    call.stack = request[2];
    for (uint32_t i = 0; i < 4u; ++i) {
        call.arguments[i] = request[3u + i];
    }
    const volatile counters_t *const counters = (const volatile counters_t *)SMG_COUNTERS;
    const uint32_t slow = counters->slow;
    smg_monitor_invoke(&call, &counters->fast);
    const uint32_t words[4] = {DONE, call.result, call.after - call.before, counters->slow - slow};
    answer(words, 4);
}

/* While a debugger is attached the core waits here, because it is not heard while the core waits
 * for the host. Nothing is to be looked for above it. */
KEPT __attribute__((noinline)) void smg_monitor_idle(uint32_t rounds) {
    __asm__ volatile(".cfi_undefined lr");
    while (rounds-- > 0u) {
        __asm__ volatile("");
    }
}

static void serve(void) {
    volatile uint8_t *const memory = (volatile uint8_t *)(uintptr_t)request[1];
    const uint32_t count = request[2];
    uint32_t words[2] = {DONE, 0};
    switch (request[0]) {
    case READ:
        answer(words, 1);
        transfer(SYS_WRITE, to_host, request[1], count);
        return;
    case WRITE:
        transfer(SYS_READ, from_host, request[1], count);
        break;
    case FILL:
        fill(memory, count, (uint8_t)request[3]);
        break;
    case MOVE:
        move(memory, (const volatile uint8_t *)(uintptr_t)request[3], count);
        break;
    case COMPARE:
        words[1] = differing(memory, (const volatile uint8_t *)(uintptr_t)request[3], count);
        break;
    case CALL:
        invoke();
        return;
    case IDLE:
        smg_monitor_idle(request[1]);
        break;
    default:
        quit();
    }
    answer(words, 2);
}

KEPT void smg_monitor_main(void) {
    static const char input[] = "/dev/stdin", output[] = "/dev/stdout";
    from_host = open_file(input, sizeof input - 1u, OPEN_READ_BINARY);
    to_host = open_file(output, sizeof output - 1u, OPEN_WRITE_BINARY);
    for (;;) {
        transfer(SYS_READ, from_host, (uint32_t)(uintptr_t)request, sizeof request);
        serve();
    }
}

/* Reset: coprocessors 10 and 11 (FPU and MVE) on, where there are any. */
__attribute__((naked)) void smg_monitor_start(void) {
    __asm__ volatile("ldr r0, =0xE000ED88\n"
                     "ldr r1, [r0]\n"
                     "orr r1, #0xF00000\n"
                     "str r1, [r0]\n"
                     "dsb\n isb\n"
                     "b smg_monitor_main\n");
}

/* All exceptions: bit 2 of the link register tells on which stack the frame lies. */
__attribute__((naked)) void smg_monitor_fault(void) {
    __asm__ volatile("tst lr, #4\n"
                     "ite eq\n mrseq r0, msp\n mrsne r0, psp\n"
                     "b smg_monitor_report\n");
}

KEPT void smg_monitor_report(const uint32_t *frame) {
    const uint32_t cause = CFSR;
    const bool saved = (cause & (STACK_LIMIT | BUS_STACKING | MEMORY_STACKING)) == 0u;
    const uint32_t words[8] = {
        FAULT, saved ? frame[6] : 0u,     saved ? frame[5] : 0u, cause, HFSR, BFAR,
        MMFAR, (uint32_t)(uintptr_t)frame};
    answer(words, 8);
    quit();
}
