"""Compiling C for boards and for this computer."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import pytest

from smidgen.core.errors import DoesNotFit, ToolchainError
from smidgen.emulate.linked.firmware import read_firmware
from smidgen.targets.cache import cache_dir, cached
from smidgen.targets.catalogue import board, boards, core, cores
from smidgen.targets.toolchain import compile_firmware, compile_host_library, compile_object

ADD = {
    "add.h": "int add(int a, int b);\n",
    "add.c": '#include "add.h"\nint add(int a, int b) {\n  return a + b;\n}\n',
}
BOARD = board("nucleo-l4r5zi")


def array_of(count: int, kind: str) -> dict[str, str]:
    get = "int get(int i);\nint get(int i) { return big[i]; }\n"
    return {"big.c": f"{kind} char big[{count}] = {{1}};\n{get}"}


COMPILED = [each for each in cores() if each.zig_target]
BARE = [each for each in boards() if each.core in COMPILED and not each.core.system]


@pytest.mark.parametrize("core", COMPILED, ids=lambda core: core.name)
def test_every_core_has_a_compiler(core):
    assert compile_object(ADD, "add.c", core).startswith(b"\x7fELF")


@pytest.mark.parametrize("each", BARE, ids=lambda each: each.name)
def test_every_board_has_a_linker_script(each):
    elf = compile_firmware(ADD, each, entry_symbols=["add"], reserve_stack_bytes=1024)
    assert elf.startswith(b"\x7fELF")


def test_a_core_without_a_compiler_is_refused():
    with pytest.raises(ToolchainError, match="no back end for xtensa-lx6"):
        compile_object(ADD, "add.c", core("xtensa-lx6"))


def test_a_small_board_sets_less_apart_for_the_stack():
    elf = compile_firmware(ADD, board("ch32v003"), entry_symbols=["add"])
    assert read_firmware(elf).sizes.stack_reserved == 512


def test_the_host_library_computes():
    library = ctypes.CDLL(str(compile_host_library(ADD)))
    assert library.add(40, 2) == 42


def test_defines_reach_the_sources():
    source = {"a.c": "int f(void);\nint f(void) {\n  return VALUE;\n}\n"}
    library = ctypes.CDLL(str(compile_host_library(source, defines=["VALUE=7"])))
    assert library.f() == 7


def test_too_much_data_names_the_region_and_the_bytes():
    # 640 KiB of RAM, of which the stack takes 8192.
    with pytest.raises(DoesNotFit, match=r"RAM region 'sram' overflows by 8,192 bytes"):
        compile_firmware(
            array_of(640 * 1024, "volatile"), BOARD, entry_symbols=["get"], reserve_stack_bytes=8192
        )


def test_too_many_constants_name_the_flash():
    with pytest.raises(DoesNotFit, match=r"flash region 'flash' overflows by"):
        compile_firmware(array_of(2 * 1024 * 1024, "const"), BOARD, entry_symbols=["get"])


def test_the_first_compiler_error_is_shown():
    source = {"a.c": "int f(void);\nint f(void) {\n  return missing;\n}\n"}
    with pytest.raises(ToolchainError, match=r"a\.c:3:10: error: use of undeclared"):
        compile_firmware(source, BOARD, entry_symbols=["f"])


def test_warnings_are_errors():
    source = {"a.c": "char f(int x);\nchar f(int x) {\n  return x;\n}\n"}
    with pytest.raises(ToolchainError, match="implicit conversion"):
        compile_object(source, "a.c", BOARD.core)


def test_a_missing_entry_symbol_is_named():
    with pytest.raises(ToolchainError, match="there is no symbol subtract"):
        compile_firmware(ADD, BOARD, entry_symbols=["add", "subtract"])


def test_builds_at_the_same_time_agree(tmp_path, monkeypatch):
    monkeypatch.setenv("SMIDGEN_CACHE", str(tmp_path))

    def build(_: int) -> bytes:
        return compile_firmware(ADD, BOARD, entry_symbols=["add"])

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(build, range(2))
    assert one == other and one.startswith(b"\x7fELF")
    assert not list(tmp_path.rglob(".new-*"))


def test_a_second_build_comes_from_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SMIDGEN_CACHE", str(tmp_path))
    made = []

    def build() -> bytes:
        made.append(1)
        return b"content"

    assert {cached("kind", "abcd", ".bin", build).read_bytes() for _ in range(3)} == {b"content"}
    assert len(made) == 1


def test_a_cache_that_cannot_be_written_is_replaced(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    for name in ("SMIDGEN_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "file" / "below"))
    place = cache_dir()
    assert place.is_dir() and tmp_path not in place.parents
