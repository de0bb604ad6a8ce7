/* Where the core waits while the host has nothing for it. A debugger that attaches then finds it
 * here; it is the outermost function, so nothing is to be looked for above it. */
void smg_device_idle(void);

#if defined(__thumb__)
#define OUTERMOST ".cfi_undefined lr"
#define WAIT "wfi"
#elif defined(__riscv)
#define OUTERMOST ".cfi_undefined ra"
#define WAIT "wfi"
#elif defined(__AVR__)
#define OUTERMOST "" /* avr-gcc writes no CFI directives; the emulator puts address 0 above */
#define WAIT "sleep"
#else /* cores that wait elsewhere: see smg_server.c */
#define OUTERMOST ""
#define WAIT ""
#endif

void smg_device_idle(void) {
    __asm__ volatile(OUTERMOST);
    for (;;) {
        __asm__ volatile(WAIT);
    }
}
