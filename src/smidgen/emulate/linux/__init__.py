"""Programs for Linux boards, run by QEMU's user mode on this computer's kernel."""
