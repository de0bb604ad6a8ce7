"""The FFT of real signals as KISS FFT computes it, bit for bit: plan, arithmetic, transforms.

A real FFT of length 2n is a complex one of length n over pairs of samples, and a pass that
separates the two. The complex one is mixed radix (4, 2, 3, 5), decimation in time; in fixed point
every stage first divides by its radix, so that nothing overflows.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType

Complex = tuple[Array, Array]
"""Real and imaginary parts."""
RADICES = (4, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Plan:
    """How a real FFT of `length` samples runs."""

    length: int
    is_inverse: bool = False

    @property
    def size(self) -> int:
        """Points of the complex FFT."""
        return self.length // 2

    @property
    def is_possible(self) -> bool:
        """Whether the length is even and has only factors for which there is a butterfly."""
        return self.length >= 4 and not self.length % 2 and math.prod(self.factors) == self.size

    @property
    def factors(self) -> tuple[int, ...]:
        """The radices from the outermost stage to the innermost."""
        rest, found = self.size, []
        for radix in RADICES:
            while rest % radix == 0 and rest > 1:
                found.append(radix)
                rest //= radix
        return tuple(found)

    def destinations(self) -> Array:
        """Where each input point lies before the first (innermost) butterfly."""
        places = np.zeros(1, np.int64)
        span = self.size
        for radix in self.factors:
            span //= radix
            places = (places[None, :] + span * np.arange(radix)[:, None]).reshape(-1)
        return places

    def twiddles(self) -> tuple[list[float], list[float]]:
        """Cos and sin of the complex FFT's angles."""
        sign = 1 if self.is_inverse else -1
        return _circle([sign * (2 * math.pi * i / self.size) for i in range(self.size)])

    def separating_twiddles(self) -> tuple[list[float], list[float]]:
        """Cos and sin of the pass that separates the spectra of even and odd samples."""
        sign = 1 if self.is_inverse else -1
        angles = [
            sign * math.pi * ((i + 1) / self.size + 0.5) for i in range(max(self.size // 2, 0))
        ]
        return _circle(angles)


def _circle(angles: list[float]) -> tuple[list[float], list[float]]:
    return [math.cos(angle) for angle in angles], [math.sin(angle) for angle in angles]


class Arithmetic(ABC):
    """Operations on complex numbers, rounded and wrapped as one type does."""

    @abstractmethod
    def wrap(self, x: Array) -> Array:
        """`x` as the type keeps it."""

    @abstractmethod
    def product(self, x: Array) -> Array:
        """A product, or a sum of two, back in the type."""

    @abstractmethod
    def divided(self, a: Complex, radix: int) -> Complex:
        """`a` over `radix`; floats stay as they are."""

    @abstractmethod
    def half(self, x: Array) -> Array:
        """Half of `x`."""

    @abstractmethod
    def constants(self, values: list[float]) -> Array:
        """Cos or sin values in the type."""

    def times(self, a: Complex, b: Complex) -> Complex:
        """A b."""
        real = self.product(a[0] * b[0] - a[1] * b[1])
        return real, self.product(a[0] * b[1] + a[1] * b[0])

    def plus(self, a: Complex, b: Complex) -> Complex:
        """A + b."""
        return self.wrap(a[0] + b[0]), self.wrap(a[1] + b[1])

    def minus(self, a: Complex, b: Complex) -> Complex:
        """A - b."""
        return self.wrap(a[0] - b[0]), self.wrap(a[1] - b[1])


class FixedPoint(Arithmetic):
    """int16 or int32, as Q0.15 or Q0.31; int64 arrays hold the values."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.fraction = bits - 1
        self.largest = (1 << self.fraction) - 1

    def wrap(self, x: Array) -> Array:
        """Two's complement."""
        lowest = -(1 << self.fraction)
        return ((x - lowest) & ((1 << self.bits) - 1)) + lowest

    def product(self, x: Array) -> Array:
        """Rounded, ties upwards."""
        return self.wrap((x + (1 << (self.fraction - 1))) >> self.fraction)

    def divided(self, a: Complex, radix: int) -> Complex:
        """Times the largest number over the radix."""
        by = self.largest // radix
        return self.product(a[0] * by), self.product(a[1] * by)

    def half(self, x: Array) -> Array:
        """Rounded down."""
        return x >> 1

    def constants(self, values: list[float]) -> Array:
        """Rounded, ties upwards."""
        return np.array([math.floor(0.5 + self.largest * value) for value in values], np.int64)


class Floating(Arithmetic):
    """float32."""

    def wrap(self, x: Array) -> Array:
        """As it is."""
        return x

    def product(self, x: Array) -> Array:
        """As it is."""
        return x

    def divided(self, a: Complex, radix: int) -> Complex:
        """As it is."""
        del radix
        return a

    def half(self, x: Array) -> Array:
        """Exactly half."""
        return x * np.float32(0.5)

    def constants(self, values: list[float]) -> Array:
        """Rounded to float32."""
        return np.array(values, np.float32)


def arithmetic(dtype: DType) -> Arithmetic:
    """The arithmetic of int16, int32 or float32."""
    if dtype is DType.FLOAT32:
        return Floating()
    return FixedPoint(16 if dtype is DType.INT16 else 32)


def working(x: Array) -> Array:
    """`x` in the type that `Arithmetic` computes in."""
    return x if x.dtype == np.float32 else x.astype(np.int64)
