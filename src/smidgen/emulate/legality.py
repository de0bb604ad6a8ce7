"""Checks linked code for instructions that the core lacks, where the emulator might be lax."""

from __future__ import annotations

from smidgen.targets.catalogue import Core


def check_instructions(elf: bytes, core: Core) -> None:
    """Not yet."""
