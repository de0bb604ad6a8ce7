"""The SVDF layer and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.core.fixedpoint import Multiplier, multiply, quantize_multiplier, wrap32
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.requantize import centred, exact_int


@dataclass(frozen=True, slots=True)
class Svdf(Op):
    """A dense layer of filters over features, then over time (TensorFlow Lite, SVDF).

    Inputs: x [B, I], feature weights [F, I], time weights [F, M], bias [U] or none, and the state
    [B, F * M]: the last M activations of each filter, oldest first. Outputs: y [B, U] with
    U = F / rank, and the next state.
    """

    overwrites: ClassVar[tuple[int, ...]] = (4,)

    rank: int = 1
    activation: Activation = Activation.NONE
    """Of float layers; integer ones saturate only, as in Micro."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[B, U] and the state's type."""
        x, features, time, state = (inputs[i] for i in (0, 1, 2, 4))
        assert x is not None and features is not None and time is not None and state is not None
        if not len(x.shape) == len(features.shape) == len(time.shape) == 2:
            raise GraphError(f"input {x.name!r}", f"{x.shape}, {features.shape}, {time.shape}")
        filters, depth = features.shape
        wanted = (x.shape[0], filters * time.shape[1])
        if x.shape[1] != depth or time.shape[0] != filters or filters % self.rank:
            raise GraphError(
                f"weights {features.name!r}", f"{features.shape} and {time.shape} over {x.shape}"
            )
        if state.shape != wanted:
            raise GraphError(f"state {state.name!r}", f"has shape {state.shape}, not {wanted}")
        return TensorType(x.dtype, (x.shape[0], filters // self.rank)), state.type

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The newest activations enter the state, then all of it is weighed over time."""
        x, features, time, bias, state = inputs
        assert x is not None and features is not None and time is not None and state is not None
        fresh = centred(x, signature.input(0)) @ features.astype(np.float64).T
        shifted = state.reshape(*fresh.shape, -1).copy()
        shifted[..., :-1] = shifted[..., 1:]
        shifted[..., -1] = self._activations(signature, fresh)
        memory = centred(shifted, signature.input(4))
        sums = (memory * time.astype(np.float64)).sum(axis=-1)
        sums = sums.reshape(len(sums), -1, self.rank).sum(axis=-1)
        if bias is not None:
            sums = sums + bias
        return self._output(signature, sums), shifted.reshape(state.shape)

    def _activations(self, signature: Signature, fresh: Array) -> Array:
        state = signature.input(4)
        if state.dtype is DType.FLOAT32:
            return fresh.astype(np.float32)
        factor = feature_multiplier(signature)
        scaled = multiply(wrap32(exact_int(fresh)), factor.mantissa, factor.shift)
        # Micro adds the zero point after it saturates, so that the sum may wrap.
        moved = np.clip(scaled, *state.dtype.range) + state.quant.zero_point
        return moved.astype(state.dtype.numpy)

    def _output(self, signature: Signature, sums: Array) -> Array:
        output = signature.output
        if output.dtype is DType.FLOAT32:
            return finish(sums, self.activation, output)[0]
        factor = time_multiplier(signature)
        scaled = multiply(wrap32(exact_int(sums)), factor.mantissa, factor.shift)
        return finish(scaled + output.quant.zero_point, Activation.NONE, output)[0]

    def macs(self, signature: Signature) -> int:
        """One for each weight and row."""
        weights = signature.input(1).elements + signature.input(2).elements
        return signature.input(0).shape[0] * weights


def feature_multiplier(signature: Signature) -> Multiplier:
    """From products of features to the state's quanta, in float32 (svdf_common.cc, PrepareSvdf)."""
    x, features, state = (np.float32(signature.input(i).quant.scale) for i in (0, 1, 4))
    return quantize_multiplier(float(x * features / state))


def time_multiplier(signature: Signature) -> Multiplier:
    """From products over time to the output's quanta, in float32 (svdf_common.cc, PrepareSvdf)."""
    state, time = (np.float32(signature.input(i).quant.scale) for i in (4, 2))
    return quantize_multiplier(float(state * time / np.float32(signature.output.quant.scale)))
