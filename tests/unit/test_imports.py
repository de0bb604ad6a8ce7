"""The core works without the heavy extras, and loads quickly because it loads little."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import smidgen

# An import hook that makes the extras look as if they had never been installed.
BLOCKER = """
import sys
class Blocker:
    blocked = ("torch", "matplotlib", "onnx", "sklearn", "pandas", "scipy", "tflite_micro")
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocker())
"""


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    source = str(Path(smidgen.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": source}
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_public_name_exists() -> None:
    for name in smidgen.__all__:
        assert getattr(smidgen, name) is not None
    assert set(smidgen.__all__) <= set(dir(smidgen))


def test_import_loads_no_extra_and_no_emulator() -> None:
    heavy = ("torch", "unicorn", "sktime")
    code = f"import sys, smidgen; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).stdout.strip() == "[]"


def test_compile_and_run_work_without_pytorch(tmp_path: Path, small_model: Path) -> None:
    code = BLOCKER + "from smidgen.cli.main import main; main(sys.argv[1:])"
    out = str(tmp_path / "out")
    made = run_python(code, "compile", str(small_model), "--board", "nucleo-l4r5zi", "-o", out)
    assert made.returncode == 0, made.stderr
    assert "0 mismatches" in made.stdout


def test_what_needs_pytorch_says_so(tmp_path: Path) -> None:
    code = BLOCKER + "from smidgen.cli.main import main; main(sys.argv[1:])"
    result = run_python(code, "demo", "-o", str(tmp_path / "out"))
    assert result.returncode == 1
    assert "pip install 'smidgen[" in result.stderr and "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
