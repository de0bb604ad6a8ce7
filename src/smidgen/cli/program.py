"""How the user can call us again."""

from __future__ import annotations

import shutil
import sys


def program() -> str:
    """``smidgen`` where the shell finds it, else the path that this run was started by."""
    return "smidgen" if shutil.which("smidgen") else sys.argv[0]
