"""The C identifiers of a build, each taken once."""

from __future__ import annotations

from dataclasses import dataclass, field

from smidgen.compiler.codegen.literals import identifier


@dataclass(slots=True)
class Names:
    """Gives out identifiers that start with the model's prefix."""

    prefix: str
    taken: set[str] = field(default_factory=set)
    """Those that the header declares, and what was given out."""

    def fresh(self, *parts: str) -> str:
        """``prefix_part_part``, with a number behind it where that is taken already."""
        stem = identifier("_".join((self.prefix, *parts)))
        name, count = stem, 1
        while name in self.taken:
            count += 1
            name = f"{stem}_{count}"
        self.taken.add(name)
        return name
