"""Ops on frames of samples: window, automatic scale, framing, overlap-add, delay, stacking."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType


def _given(inputs: Sequence[Tensor | None], index: int, *dtypes: DType) -> Tensor:
    tensor = inputs[index]
    assert tensor is not None
    if tensor.dtype not in dtypes:
        raise GraphError(f"input {tensor.name!r}", f"{tensor.dtype.label} is not taken here")
    return tensor


def _value(inputs: Sequence[Array | None], index: int) -> Array:
    values = inputs[index]
    assert values is not None
    return values


def _saturated(x: Array) -> Array:
    return np.clip(x, -32768, 32767).astype(np.int16)


@dataclass(frozen=True, slots=True)
class ApplyWindow(Op):
    """y = saturate(x * weights >> shift), x [..., L] and weights [L] int16 (SignalWindow)."""

    shift: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type."""
        x, weights = (_given(inputs, i, DType.INT16) for i in range(2))
        if not 0 <= self.shift < 32 or x.shape[-1:] != weights.shape:
            raise GraphError(f"window {weights.name!r}", f"{weights.shape} over {x.shape}")
        return (x.type,)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The products, shifted down."""
        del signature
        x, weights = (_value(inputs, i).astype(np.int64) for i in range(2))
        return (_saturated((x * weights) >> self.shift),)


@dataclass(frozen=True, slots=True)
class FftAutoScale(Op):
    """Int16 samples shifted up until they use all bits, and by how much (SignalFftAutoScale).

    Outputs: x << bits, and bits as int32 []; silence is not shifted. As in Micro, -32768 makes it
    forget the samples before.
    """

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The input's type and an int32 scalar."""
        return _given(inputs, 0, DType.INT16).type, TensorType(DType.INT32, ())

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The shift follows from the largest magnitude."""
        del signature
        x = _value(inputs, 0)
        largest = _largest(x.reshape(-1))
        bits = max(15 - largest.bit_length(), 0) if largest else 0
        scaled = (x.astype(np.int64) << bits).astype(np.int16)
        return scaled, np.array(bits, np.int32)


def _largest(x: Array) -> int:
    """The largest magnitude, in Micro's 16-bit arithmetic, as an unsigned number."""
    lowest = np.flatnonzero(x == -32768)
    if not len(lowest):
        return int(np.abs(x.astype(np.int64)).max(initial=0))
    largest = -32768
    for value in x[lowest[-1] + 1 :].tolist():
        largest = value if value > largest else max(largest, -value)
    return largest & 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Framer(Op):
    """Overlapping frames of a stream (SignalFramer).

    Inputs: x [..., n * step], the samples kept [rows, K] and their number, int32 [1]. Outputs:
    frames [..., n, size], whether they all are whole (bool []), and the next state. Frames that
    reach before the first sample have zeros there, and count as not whole unless `prefill`.
    """

    overwrites: ClassVar[tuple[int, ...]] = (1, 2)

    size: int
    step: int
    prefill: bool = False

    @property
    def kept(self) -> int:
        """Samples kept from one run to the next."""
        if self.prefill:
            return max(self.size - self.step, 0)
        return (-(-self.size // self.step) - 1) * self.step

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """Frames, a flag, and the types of the states."""
        x = _given(inputs, 0, DType.INT16)
        kept, count = _given(inputs, 1, DType.INT16), _given(inputs, 2, DType.INT32)
        if self.step < 1 or self.size < 1 or not x.shape or x.shape[-1] % self.step:
            raise GraphError(f"input {x.name!r}", f"{x.shape} in steps of {self.step}")
        frames = x.shape[-1] // self.step
        shape = (*x.shape[:-1], frames, self.size)
        return TensorType(DType.INT16, shape), TensorType(DType.BOOL, ()), kept.type, count.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Each step joins what is kept; a frame is the oldest `size` samples of both."""
        x, state, count = (_value(inputs, i) for i in range(3))
        rows = x.reshape(-1, x.shape[-1])
        stream = np.concatenate([state[:, : self.kept], rows], axis=1)
        frames = rows.shape[1] // self.step
        cut = [
            stream[:, frame * self.step : frame * self.step + self.size] for frame in range(frames)
        ]
        number, whole = int(count[0]), True
        for _ in range(frames):
            is_whole = number + self.step >= self.size
            whole = whole and is_whole
            number += 0 if is_whole else self.step
        following = state.copy()
        following[:, : self.kept] = stream[:, stream.shape[1] - self.kept :]
        y = np.stack(cut, axis=1).reshape(signature.output.shape)
        return y, np.array(whole), following, np.array([number], np.int32)


@dataclass(frozen=True, slots=True)
class OverlapAdd(Op):
    """The stream that overlapping frames add up to (SignalOverlapAdd), int16 or float.

    Inputs: frames [..., n, size] and the sums so far [rows, size]. Outputs: [..., n * step] samples
    that are complete, and the next sums.
    """

    overwrites: ClassVar[tuple[int, ...]] = (1,)

    step: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The stream, and the state's type."""
        x = _given(inputs, 0, DType.INT16, DType.FLOAT32)
        state = _given(inputs, 1, x.dtype)
        if len(x.shape) < 2 or not 1 <= self.step <= x.shape[-1]:
            raise GraphError(f"input {x.name!r}", f"{x.shape} in steps of {self.step}")
        return TensorType(x.dtype, (*x.shape[:-2], x.shape[-2] * self.step)), state.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Frame by frame: add, give out the first step, move on; int16 saturates."""
        x, sums = _value(inputs, 0), _value(inputs, 1).copy()
        frames = x.reshape(len(sums), -1, x.shape[-1])
        given = []
        for index in range(frames.shape[1]):
            frame = frames[:, index]
            if x.dtype == np.int16:
                sums = _saturated(sums.astype(np.int64) + frame)
            else:
                sums = sums + frame
            given.append(sums[:, : self.step])
            sums = np.pad(sums[:, self.step :], ((0, 0), (0, self.step)))
        return np.concatenate(given, axis=1).reshape(signature.output.shape), sums


@dataclass(frozen=True, slots=True)
class Delay(Op):
    """A stream delayed by `length` samples (SignalDelay).

    Inputs: x [..., L] and the last samples [rows, length]. Outputs: as much, and the next ones.
    """

    overwrites: ClassVar[tuple[int, ...]] = (1,)

    length: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The types of input and state."""
        return _given(inputs, 0, DType.INT16).type, _given(inputs, 1, DType.INT16).type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The oldest samples of both."""
        del signature
        x, state = _value(inputs, 0), _value(inputs, 1)
        stream = np.concatenate([state, x.reshape(len(state), -1)], axis=1)
        return stream[:, : x.shape[-1]].reshape(x.shape), stream[:, x.shape[-1] :]


@dataclass(frozen=True, slots=True)
class Stacker(Op):
    """Frames with their neighbours side by side (SignalStacker).

    Inputs: x [channels], the queue [(left + right + 1) * channels] and its length, int32 [1], -1
    before the first frame, which is repeated `left` times more. Outputs: the full queue (zeros
    until it is), whether it is full (bool []), and the next state.
    """

    overwrites: ClassVar[tuple[int, ...]] = (1, 2)

    left: int
    right: int
    step: int

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """The queue, a flag, and the types of the states."""
        x, queue = _given(inputs, 0, DType.INT16), _given(inputs, 1, DType.INT16)
        count = _given(inputs, 2, DType.INT32)
        frames = self.left + self.right + 1
        if min(self.left, self.right) < 0 or not 1 <= self.step <= frames:
            raise GraphError(f"input {x.name!r}", f"a step of {self.step} in {frames} frames")
        shape = (math.prod(x.shape) * frames,)
        return TensorType(DType.INT16, shape), TensorType(DType.BOOL, ()), queue.type, count.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The frame joins the queue; a full queue is given out, and moves on by a step."""
        x, queue, count = (_value(inputs, i) for i in range(3))
        number, first = int(count[0]), int(count[0]) < 0
        waiting = [queue[: max(number, 0)], x, *([x] * self.left if first else [])]
        joined = np.concatenate(waiting)
        y, full = np.zeros(signature.output.shape, np.int16), len(joined) >= len(queue)
        if full:
            y, joined = joined[: len(queue)], joined[self.step * len(x) :]
        following = queue.copy()
        following[: len(joined)] = joined
        return y, np.array(full), following, np.array([len(joined)], np.int32)
