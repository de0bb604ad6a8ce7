"""The FFT ops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.signal.butterflies import inverse_real_fft, real_fft
from smidgen.ops.signal.fft import Plan, arithmetic, working

_TYPES = (DType.INT16, DType.INT32, DType.FLOAT32)


@dataclass(frozen=True, slots=True)
class Rfft(Op):
    """Spectrum of real signals, zero-padded to `length` (SignalRfft).

    [..., L] gives [..., length + 2]: real and imaginary parts in turns. Fixed-point spectra are
    divided by the length.
    """

    length: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, of length + 2."""
        x = _real(inputs)
        if x.shape[-1] > self.length or not Plan(self.length).is_possible:
            raise GraphError(f"input {x.name!r}", f"{x.shape[-1]} samples for {self.length} points")
        return (TensorType(x.dtype, (*x.shape[:-1], self.length + 2)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As KISS FFT computes it, bit for bit."""
        x, output = inputs[0], signature.output
        assert x is not None
        rows = x.reshape(-1, x.shape[-1])
        padded = np.pad(rows, ((0, 0), (0, self.length - rows.shape[1])))
        spectrum = real_fft(Plan(self.length), working(padded), arithmetic(output.dtype))
        return (spectrum.astype(output.dtype.numpy).reshape(output.shape),)


@dataclass(frozen=True, slots=True)
class Irfft(Op):
    """Signals of spectra of real signals (SignalIrfft); [..., length + 2] gives [..., length].

    Fixed-point signals are divided by the length once more than the inverse of `Rfft` would need.
    """

    length: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type, of `length`."""
        x = _real(inputs)
        if x.shape[-1] != self.length + 2 or not Plan(self.length).is_possible:
            raise GraphError(f"input {x.name!r}", f"{x.shape[-1]} parts for {self.length} points")
        return (TensorType(x.dtype, (*x.shape[:-1], self.length)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As KISS FFT computes it, bit for bit."""
        x, output = inputs[0], signature.output
        assert x is not None
        rows = working(x.reshape(-1, x.shape[-1]))
        samples = inverse_real_fft(Plan(self.length, True), rows, arithmetic(output.dtype))
        if output.dtype is DType.FLOAT32:
            samples = samples / np.float32(self.length)
        return (samples.astype(output.dtype.numpy).reshape(output.shape),)


def _real(inputs: Sequence[Tensor | None]) -> Tensor:
    x = inputs[0]
    assert x is not None
    if x.dtype not in _TYPES or not x.shape:
        raise GraphError(f"input {x.name!r}", f"an FFT of {x.dtype.label}{list(x.shape)}")
    return x
