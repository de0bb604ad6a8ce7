"""Ops from a spectrum to its log energies: energy, filter bank, root, noise, gain, logarithm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.signal.integer import natural_logarithm, square_root

_UINT32 = 0xFFFFFFFF
PCAN_SNR_BITS = 12
PCAN_OUTPUT_BITS = 6


def _given(inputs: Sequence[Tensor | None], index: int, dtype: DType) -> Tensor:
    tensor = inputs[index]
    assert tensor is not None
    if tensor.dtype is not dtype:
        raise GraphError(f"input {tensor.name!r}", f"{tensor.dtype.label} is not {dtype.label}")
    return tensor


def _value(inputs: Sequence[Array | None], index: int) -> Array:
    values = inputs[index]
    assert values is not None
    return values


@dataclass(frozen=True, slots=True)
class Energy(Op):
    """Re^2 + im^2 of the bins `start` to `end` - 1 of an int16 spectrum, as uint32; 0 elsewhere.

    [2 n] gives [n] (SignalEnergy).
    """

    start: int
    end: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Half as many uint32."""
        x = _given(inputs, 0, DType.INT16)
        bins = x.elements // 2
        if len(x.shape) != 1 or x.elements % 2 or not 0 <= self.start <= self.end <= bins:
            raise GraphError(f"input {x.name!r}", f"bins {self.start} to {self.end} of {x.shape}")
        return (TensorType(DType.UINT32, (bins,)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sums of squares."""
        del signature
        parts = _value(inputs, 0).astype(np.int64).reshape(-1, 2)
        energy = (parts**2).sum(axis=1)
        energy[: self.start] = 0
        energy[self.end :] = 0
        return (energy.astype(np.uint32),)


@dataclass(frozen=True, slots=True)
class FilterBank(Op):
    """Triangular filters over a spectrum of energies (SignalFilterBank).

    Inputs: energies, uint32; weights and unweights, int16 [W]; for each of channels + 1: where its
    bins start, where its weights start, and how many there are, int16. A bin counts with its weight
    for its channel, and with its unweight for the next one. Output: uint64 [channels].
    """

    channels: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The channels; the tables must be constant and stay inside their operands."""
        x = _given(inputs, 0, DType.UINT32)
        tables = [_given(inputs, index, DType.INT16) for index in range(1, 6)]
        if not all(tensor.is_constant for tensor in tables):
            raise GraphError(f"filter bank over {x.name!r}", "its tables are not constant")
        if {tensor.shape for tensor in tables[2:]} != {(self.channels + 1,)}:
            raise GraphError(f"filter bank over {x.name!r}", "its tables differ in length")
        bins, starts, widths = (tensor.values.astype(np.int64) for tensor in tables[2:])
        weights = min(tensor.elements for tensor in tables[:2])
        inside = (bins >= 0) & (starts >= 0) & (widths >= 0)
        inside &= (bins + widths <= x.elements) & (starts + widths <= weights)
        if not inside.all():
            raise GraphError(f"filter bank over {x.name!r}", "its tables reach outside")
        return (TensorType(DType.UINT64, (self.channels,)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Weighted sums modulo 2**64."""
        del signature
        x, weights, unweights, bins, starts, widths = (_value(inputs, i) for i in range(6))
        sums, carried = [], 0
        for bin_start, start, width in zip(bins, starts, widths, strict=True):
            energies = x[bin_start : bin_start + width].tolist()
            ups = weights[start : start + width].tolist()
            downs = unweights[start : start + width].tolist()
            total = carried + sum(a * b for a, b in zip(energies, ups, strict=True))
            sums.append(total & 0xFFFFFFFFFFFFFFFF)
            carried = sum(a * b for a, b in zip(energies, downs, strict=True))
        return (np.array(sums[1:], np.uint64),)


@dataclass(frozen=True, slots=True)
class FilterBankSquareRoot(Op):
    """Sqrt(x) >> bits (SignalFilterBankSquareRoot); inputs: uint64 [channels], bits as int32 []."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """As many uint32."""
        x, bits = _given(inputs, 0, DType.UINT64), _given(inputs, 1, DType.INT32)
        if bits.elements != 1:
            raise GraphError(f"input {bits.name!r}", f"{bits.shape} is no single shift")
        return (TensorType(DType.UINT32, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Rounded roots, shifted down."""
        del signature
        x, bits = _value(inputs, 0), int(_value(inputs, 1).reshape(-1)[0])
        roots = [square_root(value) >> (bits & 31) for value in x.reshape(-1).tolist()]
        return (np.array(roots, np.uint32).reshape(x.shape),)


@dataclass(frozen=True, slots=True)
class SpectralSubtraction(Op):
    """Takes off an estimate of the noise in each channel (SignalFilterBankSpectralSubtraction).

    Inputs: uint32 [channels] and the estimate of the run before. Outputs: the signal that is left,
    the estimate, and the estimate as the next state. Even channels smooth by the first pair of
    factors, odd ones by the second.
    """

    overwrites: ClassVar[tuple[int, ...]] = (1,)

    smoothing: int
    one_minus_smoothing: int
    alternate_smoothing: int
    alternate_one_minus_smoothing: int
    smoothing_bits: int
    min_signal_remaining: int
    spectral_subtraction_bits: int
    clamping: bool = False

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, three times."""
        x, state = _given(inputs, 0, DType.UINT32), _given(inputs, 1, DType.UINT32)
        if len(x.shape) != 1 or x.shape != state.shape:
            raise GraphError(f"input {x.name!r}", f"{x.shape} is not {state.shape}")
        return x.type, x.type, state.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """In 32 and 64 bits, as C does."""
        del signature
        x, noise = (_value(inputs, i).astype(np.uint64) for i in range(2))
        odd = np.arange(len(x)) % 2 == 1
        fresh = np.where(odd, self.alternate_smoothing, self.smoothing).astype(np.uint64)
        old = np.where(odd, self.alternate_one_minus_smoothing, self.one_minus_smoothing)
        up, down = np.uint64(self.smoothing_bits), np.uint64(self.spectral_subtraction_bits)
        mask = np.uint64(_UINT32)
        signal = (x << up) & mask
        estimate = ((signal * fresh + noise * old.astype(np.uint64)) >> down) & mask
        taken = np.minimum(estimate, signal)
        floor = ((x * np.uint64(self.min_signal_remaining)) >> down) & mask
        left = np.maximum((signal - taken) >> up, floor).astype(np.uint32)
        kept = (taken if self.clamping else estimate).astype(np.uint32)
        return left, kept, kept


@dataclass(frozen=True, slots=True)
class Pcan(Op):
    """Automatic gain from the noise (SignalPCAN): per-channel amplitude normalisation.

    Inputs: uint32 [channels], the noise estimate, and a table of gains, int16: piecewise quadratic
    over the octaves of the noise. Output: uint32 [channels].
    """

    snr_shift: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type; the table must reach up to 2**32."""
        x, noise = _given(inputs, 0, DType.UINT32), _given(inputs, 1, DType.UINT32)
        table = _given(inputs, 2, DType.INT16)
        fits = x.shape == noise.shape and table.elements >= 4 * 32 - 6 + 3
        if not fits or not 0 <= self.snr_shift < 64:
            raise GraphError(f"input {x.name!r}", f"{x.shape}, {noise.shape}, {table.shape}")
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Signal times gain, shrunk where it is small."""
        del signature
        x, noise, table = (_value(inputs, i).tolist() for i in range(3))
        snr = (
            ((value * (_gain(level, table) & _UINT32)) & 0xFFFFFFFFFFFFFFFF) >> self.snr_shift
            for value, level in zip(x, noise, strict=True)
        )
        return (np.array([_shrink(ratio & _UINT32) for ratio in snr], np.uint32),)


def _gain(noise: int, table: list[int]) -> int:
    if noise <= 2:
        return table[noise]
    octave = noise.bit_length()
    at = 4 * octave - 6
    inside = (noise << (11 - octave) if octave < 11 else noise >> (octave - 11)) & 0x3FF
    slope = (table[at + 2] * inside >> 5) + (table[at + 1] << 5)
    return _int16((_int32(_int32(slope) * inside) + (1 << 14) >> 15) + table[at])


def _int16(x: int) -> int:
    return (x + 32768 & 0xFFFF) - 32768


def _int32(x: int) -> int:
    return (x + (1 << 31) & _UINT32) - (1 << 31)


def _shrink(x: int) -> int:
    """x^2 / 4 below 2, x - 1 above; x has 12 fractional bits, the result 6."""
    if x < 2 << PCAN_SNR_BITS:
        return (x * x) >> (2 + 2 * PCAN_SNR_BITS - PCAN_OUTPUT_BITS)
    return (x >> (PCAN_SNR_BITS - PCAN_OUTPUT_BITS)) - (1 << PCAN_OUTPUT_BITS)


@dataclass(frozen=True, slots=True)
class FilterBankLog(Op):
    """scale * ln(x << bits), saturated to int16; 0 where x << bits <= 1 (SignalFilterBankLog)."""

    scale: int
    correction_bits: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """As many int16."""
        x = _given(inputs, 0, DType.UINT32)
        if not 0 <= self.correction_bits < 32 or self.scale < 0:
            raise GraphError(f"input {x.name!r}", f"{self.correction_bits} bits, {self.scale}")
        return (TensorType(DType.INT16, x.shape),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """By a table of log2."""
        del signature
        x = _value(inputs, 0)
        scaled = [(value << self.correction_bits) & _UINT32 for value in x.reshape(-1).tolist()]
        logs = [min(natural_logarithm(v, self.scale), 32767) if v > 1 else 0 for v in scaled]
        return (np.array(logs, np.int16).reshape(x.shape),)
