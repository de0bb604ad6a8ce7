"""The arena in C: one pointer, or one for each memory that a part of it lies in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smidgen.compiler.artifact import ArenaPart
from smidgen.compiler.codegen.literals import identifier

MAIN = "arena"


def declare_arenas(prefix: str, parts: tuple[ArenaPart, ...], storage: str, name: str) -> str:
    """C that sets the arena of model `prefix` apart: arrays called `name`, `name`_region ...

    Those in other memories than the main one lie in the section that has the memory's name.
    """
    upper = prefix.upper()
    lines = []
    for index, pointer in enumerate(Arenas(parts).names):
        attributes = f"aligned({upper}_ARENA_ALIGNMENT)"
        if index:
            attributes += f', section(".{parts[index].region}")'
        size = f"{upper}_{pointer.upper()}_BYTES"
        array = f"{name}{pointer.removeprefix(MAIN)}[{size}]"
        lines.append(f"{storage} {array} __attribute__(({attributes}));\n")
    return "".join(lines)


@dataclass(frozen=True, slots=True)
class Arenas:
    """Spells addresses in the arena; `parts` is empty where there is one memory."""

    parts: tuple[ArenaPart, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The pointers: ``arena``, ``arena_dtcm`` ..."""
        return (MAIN, *(f"{MAIN}_{identifier(part.region)}" for part in self.parts[1:]))

    def parameters(self, kind: str) -> str:
        """``uint8_t *arena, uint8_t *arena_dtcm``."""
        return ", ".join(f"{kind} *{name}" for name in self.names)

    @property
    def arguments(self) -> str:
        """``arena, arena_dtcm``."""
        return ", ".join(self.names)

    def at(self, offset: int, cast: str = "") -> str:
        """The address `offset`: ``arena + 16``; `cast` stands before the pointer."""
        name, local = self._place(offset)
        return f"{cast}{name} + {local}"

    def span(self, offset: int, nbytes: int) -> str:
        """``arena[16..47]``."""
        name, local = self._place(offset)
        return f"{name}[{local}..{local + max(nbytes, 1) - 1}]"

    def unused(self, text: str, others: Sequence[str] = ()) -> str:
        """Statements for the parameters that `text` does not use."""
        words = set("".join(c if c.isalnum() or c == "_" else " " for c in text).split())
        unused = [name for name in (*self.names, *others) if name not in words]
        return "".join(f"    (void){name};\n" for name in unused)

    def _place(self, offset: int) -> tuple[str, int]:
        within = [index for index, part in enumerate(self.parts) if part.start <= offset]
        index = within[-1] if within else 0
        return self.names[index], offset - (self.parts[index].start if self.parts else 0)
