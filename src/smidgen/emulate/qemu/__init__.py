"""The second emulator: QEMU, for cores that Unicorn lacks, and as a second opinion on others."""
