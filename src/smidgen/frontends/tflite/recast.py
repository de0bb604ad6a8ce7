"""Constants in another element type, each converted once however many tensors share its bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from smidgen.core.dtypes import Array


@dataclass(frozen=True, slots=True)
class Recast:
    """Applies `change`, elementwise, to constants; what it makes is read-only.

    A small file may let thousands of tensors point at one large buffer, so that a copy for each
    would fill the memory. (The reader sees to it that buffers do not overlap.)
    """

    change: Callable[[Array], Array]
    _made: dict[tuple[int, int], Array] = field(default_factory=dict)

    def __call__(self, data: Array) -> Array:
        """`data`, which lives as long as this does, after the change; the same shape."""
        key = (data.__array_interface__["data"][0], data.nbytes)
        if key not in self._made:
            flat = self.change(data.reshape(-1))
            flat.flags.writeable = False
            self._made[key] = flat
        return self._made[key].reshape(data.shape)
