/* smg_asm.h: how functions that are assembly as a whole are declared.
 *
 * The compiler adds nothing to them: arguments lie in registers and on the stack as the procedure
 * call standard says, and the assembly keeps what it must and returns.
 */
#ifndef SMG_ASM_H
#define SMG_ASM_H

#define SMG_ASM_FUNCTION __attribute__((naked, noinline, unused)) static
#define SMG_ASM_ARGUMENT __attribute__((unused))

#endif
