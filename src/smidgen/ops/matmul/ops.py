"""The batched matrix product and its reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor, TensorType
from smidgen.ops.support.activation import Activation, finish
from smidgen.ops.support.requantize import centred, exact_int, per_tensor, requantize


@dataclass(frozen=True, slots=True)
class BatchMatMul(Op):
    """a b for a [..., M, K] and b [..., K, N]; leading axes broadcast (BATCH_MATMUL)."""

    transpose_a: bool = False
    """Whether a is given as [..., K, M]."""
    transpose_b: bool = False
    """Whether b is given as [..., N, K]."""

    def infer(self, inputs: Sequence[Tensor | None]) -> tuple[TensorType, ...]:
        """[..., M, N]."""
        a, b = inputs[0], inputs[1]
        assert a is not None and b is not None
        if min(len(a.shape), len(b.shape)) < 2:
            raise GraphError(f"input {b.name!r}", f"{b.shape} is to be multiplied by {a.shape}")
        rows, depth = _matrix(a.shape, self.transpose_a)
        other, columns = _matrix(b.shape, self.transpose_b)
        try:
            batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        except ValueError:
            batch, other = (), -1
        if depth != other:
            raise GraphError(f"input {b.name!r}", f"{b.shape} does not fit {a.shape}")
        return (TensorType(a.dtype, (*batch, rows, columns)),)

    def evaluate(self, signature: Signature, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sums of products, requantised; 16-bit operands sum in 64 bits."""
        a, b = inputs[0], inputs[1]
        assert a is not None and b is not None
        left, right = centred(a, signature.input(0)), centred(b, signature.input(1))
        left = np.swapaxes(left, -1, -2) if self.transpose_a else left
        right = np.swapaxes(right, -1, -2) if self.transpose_b else right
        output, sums = signature.output, left @ right
        if output.dtype is DType.FLOAT32:
            return finish(sums, Activation.NONE, output)
        multipliers = per_tensor(signature.input(0), signature.input(1), output)
        wide = output.dtype is DType.INT16
        quanta = requantize(exact_int(sums), multipliers, output, wide)
        return finish(quanta, Activation.NONE, output)

    def macs(self, signature: Signature) -> int:
        """Output elements times the depth."""
        depth = _matrix(signature.input(0).shape, self.transpose_a)[1]
        return signature.output.elements * depth


def _matrix(shape: tuple[int, ...], transposed: bool) -> tuple[int, int]:
    return (shape[-1], shape[-2]) if transposed else (shape[-2], shape[-1])
