"""Our clocks of vector code beside llvm-mca's, by the rule that it adds (`benchmarks`)."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from support.graphs import small_convnet
from support.qemu import needs_qemu

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "compare_mca.py"
DEBIAN = "/usr/lib/llvm-19/bin"
TOOLS = Path(os.environ.get("LLVM_BIN", DEBIAN))

needs_mca = pytest.mark.skipif(
    shutil.which("llvm-mca", path=str(TOOLS)) is None,
    reason="llvm-mca of LLVM 19 is not installed (package llvm-19)",
)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("compare_mca", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_mca"] = module
    spec.loader.exec_module(module)
    return module


@needs_mca
@needs_qemu
@pytest.mark.parametrize("core", ["cortex-m55", "cortex-m85"])
def test_blocks_with_the_same_rules_take_the_same_clocks(script: ModuleType, core: str) -> None:
    found = script.compare(small_convnet(), core, 200, TOOLS)
    alike = [each for each in found if script.is_alike(each.body, core)]
    assert any("mve" in each.groups for one in alike for each in one.body.code)
    equal = [each for each in alike if each.theirs == each.ordered]
    assert len(equal) >= 0.9 * len(alike)
    theirs = sum(each.theirs * each.body.executions for each in found)
    ordered = sum(each.ordered * each.body.executions for each in found)
    assert abs(ordered / theirs - 1) < 0.1
