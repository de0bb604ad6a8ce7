"""GNU compilers on this computer, for cores that our own compiler does not serve."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from smidgen.core.errors import ToolchainError
from smidgen.targets.cache import cached, fingerprint
from smidgen.targets.catalogue import Board, Core
from smidgen.targets.linker import does_not_fit

_SECONDS_LIMIT = 600
_SOURCES = {
    "avr-gcc": "packages gcc-avr and avr-libc of Debian and Ubuntu",
    "xtensa-esp32-elf-gcc": "it comes with ESP-IDF",
    "xtensa-esp32s3-elf-gcc": "it comes with ESP-IDF",
}
_FLAGS = (
    "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-g",
    "-fno-math-errno", "-ffp-contract=off", "-fomit-frame-pointer", "-ffunction-sections",
    "-fdata-sections",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class GnuFirmware:
    """What is to be linked: file name to text, the linker script, the entry, further options."""

    sources: Mapping[str, str]
    script: str
    entry: str
    options: tuple[str, ...]


def gnu_compiler(core: Core) -> str | None:
    """The path of the first of the core's compilers that is on PATH."""
    found = (shutil.which(name) for name in core.gnu_compilers)
    return next((path for path in found if path), None)


def why_not_compiled(core: Core) -> str:
    """Why nothing here compiles for `core`; "" where something does."""
    if core.zig_target or gnu_compiler(core):
        return ""
    wanted = [f"{name} on PATH ({_SOURCES[name]})" for name in core.gnu_compilers]
    return f"there is no {' or '.join(wanted)}"


def link_with_gnu(firmware: GnuFirmware, board: Board) -> bytes:
    """The ELF file for `board`, without start-up code; raises DoesNotFit and ToolchainError.

    The compiler's own support library is linked, and its C library's memory functions.
    """
    compiler = gnu_compiler(board.core)
    if compiler is None:
        raise ToolchainError("C compiler", why_not_compiled(board.core), "install it")
    flags = (*_FLAGS, *board.core.gnu_flags, *firmware.options)
    parts = (sorted(firmware.sources.items()), flags, firmware.script, firmware.entry)

    def build() -> bytes:
        return _link(compiler, flags, firmware, board)

    key = fingerprint(_version(compiler), *parts)
    return cached("firmware", key, ".elf", build).read_bytes()


def _link(compiler: str, flags: tuple[str, ...], firmware: GnuFirmware, board: Board) -> bytes:
    with tempfile.TemporaryDirectory(prefix="smidgen-") as name:
        folder = Path(name)
        for file, text in {**firmware.sources, "smidgen.ld": firmware.script}.items():
            (folder / file).write_text(text, encoding="utf-8")
        units = [file for file in sorted(firmware.sources) if file.endswith((".c", ".S"))]
        command = [compiler, f"-fdebug-prefix-map={folder}=.", *flags, *units, "-T", "smidgen.ld",
                   "-nostartfiles", "-Wl,--gc-sections", f"-Wl,--entry={firmware.entry}",
                   "-o", "out.elf"]  # fmt: skip
        result = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False,
            timeout=_SECONDS_LIMIT, encoding="utf-8", errors="replace",
        )  # fmt: skip
        if result.returncode:
            first = next((line for line in result.stderr.splitlines() if "error" in line), "")
            raise does_not_fit(board, result.stderr) or ToolchainError(
                "C compiler", first or result.stderr.strip() or f"status {result.returncode}"
            )
        return (folder / "out.elf").read_bytes()


@lru_cache(maxsize=8)
def _version(compiler: str) -> str:
    result = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=False)
    return result.stdout
