"""Marks for tests that need QEMU."""

import shutil

import pytest

needs_qemu = pytest.mark.skipif(
    shutil.which("qemu-system-arm") is None, reason="qemu-system-arm is not installed"
)
