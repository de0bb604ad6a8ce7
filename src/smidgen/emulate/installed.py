"""The emulators that are programs or libraries of their own, and whether they are installed."""

from __future__ import annotations

import shutil

from smidgen.core.errors import EmulationError

_PACKAGES = {
    "qemu-system-arm": "qemu-system-arm",
    "qemu-arm": "qemu-user",
    "qemu-aarch64": "qemu-user",
    "qemu-riscv64": "qemu-user",
}


def why_missing(program: str) -> str:
    """Why `program` cannot be used and what to install; "" where it is on PATH."""
    if shutil.which(program):
        return ""
    return f"there is no {program} on PATH (package {_PACKAGES[program]} of Debian and Ubuntu)"


def find(program: str) -> str:
    """The path of `program`; raises EmulationError, which names the package, where it is not."""
    found = shutil.which(program)
    if found is None:
        raise EmulationError(
            "emulator", why_missing(program), f"install the package {_PACKAGES[program]}"
        )
    return found
