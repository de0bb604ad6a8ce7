"""Marks for tests that need QEMU."""

import shutil

import pytest

needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"
)
needs_qemu_user = pytest.mark.skipif(
    any(shutil.which(f"qemu-{name}") is None for name in ("arm", "aarch64", "riscv64")),
    reason="qemu-user is not installed",
)
