"""Compiles C with the `ziglang` package: for a board, for a core, and for this computer.

zig is Clang with every target built in, so one Python package is cross and host compiler. Results
are kept in a cache by content; the same sources and options are compiled once.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path

from smidgen.core.errors import ToolchainError
from smidgen.targets.cache import cache_dir, cached, fingerprint
from smidgen.targets.catalogue import Board, Core
from smidgen.targets.gnu import GnuFirmware, link_with_gnu
from smidgen.targets.linker import does_not_fit, linker_script

STRICT_FLAGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror")

_RUNTIME = Path(__file__).parent / "runtime"
_SECONDS_LIMIT = 600
_COMMON_FLAGS = (
    *STRICT_FLAGS,
    "-fno-math-errno",
    "-ffp-contract=off",  # so that floats agree between all cores
)
_TARGET_FLAGS = (
    "-g",  # without it zig strips the symbols at -Os
    "-fhosted",  # freestanding, every four-byte memcpy and every sqrtf would be a call
    "-fomit-frame-pointer",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-ffunction-sections",
    "-fdata-sections",
)


def compile_firmware(
    sources: Mapping[str, str],
    board: Board,
    *,
    optimise: str = "-O2",
    entry_symbols: Sequence[str],
    defines: Sequence[str] = (),
    reserve_stack_bytes: int | None = None,
) -> bytes:
    """Compiles and links for `board`: the bytes of an ELF file without start-up code.

    Args:
        sources: file name to text, of ``.c``, ``.h`` and ``.S`` files.
        board: whose core is compiled for and whose memory is linked for.
        optimise: the ``-O`` option.
        entry_symbols: the functions and objects that must be kept; the first is the ELF's entry.
        defines: macros, each ``NAME`` or ``NAME=VALUE``.
        reserve_stack_bytes: RAM set apart for the stack; to use more is a fault. Default: 8 KB, and
            a quarter of the RAM where it has less than 32 KB.

    Raises:
        DoesNotFit: flash or RAM is too small; names the region and the bytes missing.
        ToolchainError: the compiler refuses the sources, or a symbol is missing.
    """
    reserve = board.stack_bytes if reserve_stack_bytes is None else reserve_stack_bytes
    script = linker_script(board, entry_symbols, reserve)
    if board.core.gnu_compilers:
        firmware = GnuFirmware(sources, script, entry_symbols[0], (optimise, *_defines(defines)))
        return link_with_gnu(firmware, board)
    flags = (*_core_flags(board.core, optimise), *_defines(defines))
    key = fingerprint(identity(), sorted(sources.items()), flags, script, tuple(entry_symbols))

    def build() -> bytes:
        return _link_firmware(sources, board, flags, script, entry_symbols[0])

    return cached("firmware", key, ".elf", build).read_bytes()


def compile_object(
    sources: Mapping[str, str],
    main: str,
    core: Core,
    *,
    optimise: str = "-O2",
    defines: Sequence[str] = (),
) -> bytes:
    """Compiles the one C file `main` (the others are its headers) to a relocatable object."""
    flags = (*_core_flags(core, optimise), *_defines(defines))
    key = fingerprint(identity(), sorted(sources.items()), main, flags)

    def build() -> bytes:
        with tempfile.TemporaryDirectory(prefix="smidgen-") as name:
            folder = _write(sources, Path(name))
            return _output(folder, [*flags, "-c", main], "out.o")

    return cached("object", key, ".o", build).read_bytes()


def compile_host_library(
    sources: Mapping[str, str],
    *,
    optimise: str = "-O2",
    defines: Sequence[str] = (),
    sanitize: bool = False,
) -> Path:
    """Compiles a shared library for this computer, to be loaded with ctypes.

    With `sanitize`, undefined behaviour prints a message and aborts the process: load it in a
    process of its own. The path is in the cache and is not to be written to.
    """
    checks = ("-fsanitize=undefined", "-fno-sanitize-recover=all") if sanitize else ()
    flags = (*_COMMON_FLAGS, optimise, "-fPIC", "-mcpu=baseline", *checks, *_defines(defines))
    key = fingerprint(identity(), sorted(sources.items()), flags)

    def build() -> bytes:
        with tempfile.TemporaryDirectory(prefix="smidgen-") as name:
            folder = _write(sources, Path(name))
            units = [unit for unit in sorted(sources) if _is_unit(unit)]
            return _output(folder, [*flags, "-shared", *units], "out.so")

    return cached("host", key, ".so", build)


def _core_flags(core: Core, optimise: str) -> tuple[str, ...]:
    if not core.zig_target:
        raise ToolchainError(
            "C compiler", f"has no back end for {core.name}", "compile the C with the maker's own"
        )
    target = ("-target", core.zig_target, f"-mcpu={core.zig_mcpu}", *_code_model(core))
    return (*target, optimise, *_COMMON_FLAGS, *_TARGET_FLAGS, "-I", str(_RUNTIME / "include"))


def _code_model(core: Core) -> tuple[str, ...]:
    """On 64-bit RISC-V code may lie above 2 GB, which the default model does not reach."""
    return ("-mcmodel=medany",) if core.isa.startswith("rv64") else ()


def _defines(defines: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"-D{define}" for define in defines)


def _link_firmware(
    sources: Mapping[str, str], board: Board, flags: Sequence[str], script: str, entry: str
) -> bytes:
    """Links without zig's support library if that will do: it takes seconds to build once."""
    with tempfile.TemporaryDirectory(prefix="smidgen-") as name:
        folder = _write({**sources, "smidgen.ld": script}, Path(name))
        units = [unit for unit in sorted(sources) if _is_unit(unit)]
        arguments = [*flags, *units, str(_RUNTIME / "runtime.c"), "-T", "smidgen.ld"]
        arguments += ["-Wl,--gc-sections", f"-Wl,--entry={entry}"]
        result = _zig(folder, ["-nostdlib", *arguments, "-o", "out.elf"])
        if result.returncode and "undefined symbol:" in result.stderr:
            result = _zig(folder, [*arguments, "-o", "out.elf"])
        _check(result, board)
        return (folder / "out.elf").read_bytes()


def _output(folder: Path, arguments: Sequence[str], product: str) -> bytes:
    _check(_zig(folder, [*arguments, "-o", product]), None)
    return (folder / product).read_bytes()


def _is_unit(name: str) -> bool:
    return Path(name).suffix in (".c", ".S")


def _write(sources: Mapping[str, str], folder: Path) -> Path:
    for name, text in sources.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def _zig(folder: Path, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    same_names = f"-ffile-prefix-map={folder}=."  # or each build's debug information differs
    command = [sys.executable, "-m", "ziglang", "cc", same_names, *arguments]
    kept = str(cache_dir() / "zig")
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": kept, "ZIG_LOCAL_CACHE_DIR": kept}
    try:
        return subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False,
            timeout=_SECONDS_LIMIT, encoding="utf-8", errors="replace",
        )  # fmt: skip
    except subprocess.TimeoutExpired as problem:
        raise ToolchainError(
            "C compiler", f"did not finish in {_SECONDS_LIMIT} s", "simplify the generated code"
        ) from problem


def _check(result: subprocess.CompletedProcess[str], board: Board | None) -> None:
    if not result.returncode:
        return
    too_big = does_not_fit(board, result.stderr) if board else None
    if too_big:
        raise too_big
    raise ToolchainError("C compiler", _first_error(result.stderr) or _exit_status(result))


def _first_error(output: str) -> str:
    found = re.search(r"^.*\berror: .*$", output, re.MULTILINE)
    return found.group(0).strip() if found else output.strip().partition("\n")[0]


def _exit_status(result: subprocess.CompletedProcess[str]) -> str:
    return f"ended with status {result.returncode} and said nothing"


@lru_cache(maxsize=1)
def identity() -> tuple[str, ...]:
    """What besides sources and options decides the output: compiler version and runtime text."""
    try:
        version = metadata.version("ziglang")
    except metadata.PackageNotFoundError as problem:
        raise ToolchainError(
            "C compiler", "the package 'ziglang' is not installed", "pip install ziglang"
        ) from problem
    files = sorted(path for path in _RUNTIME.rglob("*.[ch]"))
    return (version, sys.platform, *(path.read_text(encoding="utf-8") for path in files))
