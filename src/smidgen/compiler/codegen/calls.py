"""Calls of C functions, wrapped where they are long."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.codegen.literals import LINE_WIDTH


def called(function: str, arguments: Sequence[str]) -> str:
    """The statement that calls `function`, indented as the body of another."""
    one_line = f"    {function}({', '.join(arguments)});"
    if len(one_line) <= LINE_WIDTH:
        return one_line
    inner = ",\n        ".join(arguments)
    return f"    {function}(\n        {inner});"
