/* Where the core waits while the host has nothing for it. A debugger that attaches then finds it
 * here; it is the outermost function, so nothing is to be looked for above it. */
void smg_device_idle(void);

void smg_device_idle(void) {
#if defined(__arm__)
    __asm__ volatile(".cfi_undefined lr");
#elif defined(__riscv)
    __asm__ volatile(".cfi_undefined ra");
#endif
    for (;;) {
        __asm__ volatile("wfi");
    }
}
