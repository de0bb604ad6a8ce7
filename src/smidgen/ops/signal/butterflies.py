"""The butterflies of KISS FFT, and the complex FFT that they make."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.ops.signal.fft import Arithmetic, Complex, Plan


def complex_fft(plan: Plan, points: Complex, by: Arithmetic) -> Complex:
    """The FFT of `points` [rows, n]."""
    real, imaginary = (np.empty_like(part) for part in points)
    real[:, plan.destinations()] = points[0]
    imaginary[:, plan.destinations()] = points[1]
    twiddles = tuple(by.constants(values) for values in plan.twiddles())
    span = 1
    for radix in reversed(plan.factors):
        shape = (len(real), -1, radix, span)
        whole = real.reshape(shape), imaginary.reshape(shape)
        parts = [(whole[0][:, :, q], whole[1][:, :, q]) for q in range(radix)]
        outputs = _stage(parts, span, plan, by, (twiddles[0], twiddles[1]))
        real = np.stack([part[0] for part in outputs], axis=2).reshape(real.shape)
        imaginary = np.stack([part[1] for part in outputs], axis=2).reshape(imaginary.shape)
        span *= radix
    return real, imaginary


def _stage(
    parts: list[Complex], span: int, plan: Plan, by: Arithmetic, twiddles: Complex
) -> list[Complex]:
    radix = len(parts)
    step = plan.size // (span * radix)
    parts = [by.divided(part, radix) for part in parts]
    turned = [parts[0]]
    for q in range(1, radix):
        angles = np.arange(span) * step * q
        turned.append(by.times(parts[q], (twiddles[0][angles], twiddles[1][angles])))
    if radix == 2:
        return [by.plus(*turned), by.minus(*turned)]
    if radix == 4:
        return _four(turned, by, plan.is_inverse)
    root = [_at(twiddles, step * span * turn) for turn in (1, 2)]
    return _three(turned, by, root[0]) if radix == 3 else _five(turned, by, root[0], root[1])


def _at(twiddles: Complex, index: int) -> Complex:
    return twiddles[0][index : index + 1], twiddles[1][index : index + 1]


def _four(t: list[Complex], by: Arithmetic, is_inverse: bool) -> list[Complex]:
    difference, even = by.minus(t[0], t[2]), by.plus(t[0], t[2])
    odd, cross = by.plus(t[1], t[3]), by.minus(t[1], t[3])
    left = (by.wrap(difference[0] + cross[1]), by.wrap(difference[1] - cross[0]))
    right = (by.wrap(difference[0] - cross[1]), by.wrap(difference[1] + cross[0]))
    first, last = (right, left) if is_inverse else (left, right)
    return [by.plus(even, odd), first, by.minus(even, odd), last]


def _three(t: list[Complex], by: Arithmetic, root: Complex) -> list[Complex]:
    both, apart = by.plus(t[1], t[2]), by.minus(t[1], t[2])
    base = (by.wrap(t[0][0] - by.half(both[0])), by.wrap(t[0][1] - by.half(both[1])))
    turned = (by.product(apart[0] * root[1]), by.product(apart[1] * root[1]))
    second = (by.wrap(base[0] + turned[1]), by.wrap(base[1] - turned[0]))
    first = (by.wrap(base[0] - turned[1]), by.wrap(base[1] + turned[0]))
    return [by.plus(t[0], both), first, second]


def _five(t: list[Complex], by: Arithmetic, a: Complex, b: Complex) -> list[Complex]:
    outer, outer_apart = by.plus(t[1], t[4]), by.minus(t[1], t[4])
    inner, inner_apart = by.plus(t[2], t[3]), by.minus(t[2], t[3])
    total = tuple(by.wrap(t[0][i] + (outer[i] + inner[i])) for i in range(2))
    near = tuple(_weighed(by, t[0][i], outer[i], a[0], inner[i], b[0]) for i in range(2))
    far = tuple(_weighed(by, t[0][i], outer[i], b[0], inner[i], a[0]) for i in range(2))
    p, m = by.product, by.wrap
    near_turn = (
        m(p(outer_apart[1] * a[1]) + p(inner_apart[1] * b[1])),
        m(-p(outer_apart[0] * a[1]) - p(inner_apart[0] * b[1])),
    )
    far_turn = (
        m(-p(outer_apart[1] * b[1]) + p(inner_apart[1] * a[1])),
        m(p(outer_apart[0] * b[1]) - p(inner_apart[0] * a[1])),
    )
    first, last = by.minus((near[0], near[1]), near_turn), by.plus((near[0], near[1]), near_turn)
    second, third = by.plus((far[0], far[1]), far_turn), by.minus((far[0], far[1]), far_turn)
    return [(total[0], total[1]), first, second, third, last]


def _weighed(by: Arithmetic, x: Array, y: Array, a: Array, z: Array, b: Array) -> Array:
    """X + y a + z b."""
    return by.wrap(x + by.product(y * a) + by.product(z * b))


def real_fft(plan: Plan, samples: Array, by: Arithmetic) -> Array:
    """The spectrum [rows, length + 2] (real, imaginary, ...) of `samples` [rows, length]."""
    n = plan.size
    real, imaginary = complex_fft(plan, (samples[:, 0::2], samples[:, 1::2]), by)
    spectrum = np.zeros((len(samples), n + 1, 2), samples.dtype)
    dc = by.divided((real[:, 0], imaginary[:, 0]), 2)
    spectrum[:, 0, 0], spectrum[:, n, 0] = by.wrap(dc[0] + dc[1]), by.wrap(dc[0] - dc[1])
    k = np.arange(1, n // 2 + 1)
    here = by.divided((real[:, k], imaginary[:, k]), 2)
    mirror = by.divided((real[:, n - k], by.wrap(-imaginary[:, n - k])), 2)
    both, apart = by.plus(here, mirror), by.minus(here, mirror)
    cos, sin = (by.constants(values) for values in plan.separating_twiddles())
    turned = by.times(apart, (cos[k - 1], sin[k - 1]))
    spectrum[:, k, 0] = by.half(both[0] + turned[0])
    spectrum[:, k, 1] = by.half(both[1] + turned[1])
    spectrum[:, n - k, 0] = by.half(both[0] - turned[0])
    spectrum[:, n - k, 1] = by.half(turned[1] - both[1])
    return spectrum.reshape(len(samples), -1)


def inverse_real_fft(plan: Plan, spectrum: Array, by: Arithmetic) -> Array:
    """The samples [rows, length] of `spectrum` [rows, length + 2], times length in float."""
    n = plan.size
    bins = spectrum.reshape(len(spectrum), n + 1, 2)
    real = np.zeros((len(bins), n), spectrum.dtype)
    imaginary = np.zeros_like(real)
    ends = by.wrap(bins[:, 0, 0] + bins[:, n, 0]), by.wrap(bins[:, 0, 0] - bins[:, n, 0])
    real[:, 0], imaginary[:, 0] = by.divided(ends, 2)
    k = np.arange(1, n // 2 + 1)
    here = by.divided((bins[:, k, 0], bins[:, k, 1]), 2)
    mirror = by.divided((bins[:, n - k, 0], by.wrap(-bins[:, n - k, 1])), 2)
    even, apart = by.plus(here, mirror), by.minus(here, mirror)
    cos, sin = (by.constants(values) for values in plan.separating_twiddles())
    odd = by.times(apart, (cos[k - 1], sin[k - 1]))
    real[:, k], imaginary[:, k] = by.plus(even, odd)
    low = by.minus(even, odd)
    real[:, n - k], imaginary[:, n - k] = low[0], by.wrap(-low[1])
    samples = np.stack(complex_fft(plan, (real, imaginary), by), axis=-1)
    return samples.reshape(len(bins), -1)
