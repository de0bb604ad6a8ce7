"""The int8 sum as a plane that was checked for all pairs of quanta."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array
from smidgen.core.fixedpoint import multiply
from smidgen.graph.op import Op, Signature
from smidgen.ops.elementwise.kernels.add_s8 import AddInt8
from smidgen.ops.elementwise.ops import Add, AddScaling
from smidgen.ops.elementwise.plane import Plane, fit_plane
from smidgen.ops.kernel import (
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
    Overlap,
)
from smidgen.ops.support.activation import clamp_range
from smidgen.targets.catalogue import Core


class AddInt8Plane(Kernel):
    """Int8 sum of equal shapes, or with one operand repeated, in portable C."""

    name = "add_s8_plane"
    op = Add

    def accepts(self, op: Op, signature: Signature) -> bool:
        """What `add_s8` takes, if there is a plane for it."""
        assert isinstance(op, Add)
        return AddInt8().accepts(op, signature) and _plane(op, signature) is not None

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """The larger operand is `a`; each may be overwritten by the output where it is as large."""
        del core
        assert isinstance(op, Add)
        output, plane = signature.output, _plane(op, signature)
        assert plane is not None
        first = 0 if signature.input(0).elements == output.elements else 1
        low, high = clamp_range(op.activation, output)
        fields: tuple[tuple[str, CValue], ...] = (
            ("count", output.elements),
            ("period", signature.input(1 - first).elements),
            ("a_slope", plane.slopes[first]),
            ("b_slope", plane.slopes[1 - first]),
            ("intercept", plane.intercept),
            ("shift", plane.shift),
            ("low", low),
            ("high", high),
        )
        return KernelCall(
            self.name,
            "smg_add_s8_plane.h",
            "smg_add_s8_plane" + ("" if (low, high) == (-128, 127) else "_clamped"),
            CStruct("smg_add_s8_plane_t", fields),
            (InputArg(first), InputArg(1 - first), OutputArg(0)),
            overlaps=tuple(
                Overlap(0, index)
                for index in range(2)
                if signature.input(index).elements == output.elements
            ),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions for each element."""
        del op, core
        return Cost(10.0 * signature.output.elements)


def _plane(op: Add, signature: Signature) -> Plane | None:
    a, b, output = signature.input(0), signature.input(1), signature.output
    reals = (a.quant.scale / output.quant.scale, b.quant.scale / output.quant.scale)
    origin = output.quant.zero_point - reals[0] * a.quant.zero_point - reals[1] * b.quant.zero_point
    clamp = clamp_range(op.activation, output)
    return fit_plane(_outputs(signature, clamp), reals, origin, clamp)


def _outputs(signature: Signature, clamp: tuple[int, int]) -> Array:
    """The reference's output for all pairs of quanta."""
    scaling, quanta = AddScaling.of(signature), np.arange(-128, 128)
    left = scaling.operand(quanta, signature.input(0), scaling.left)
    right = scaling.operand(quanta, signature.input(1), scaling.right)
    factor = scaling.output
    scaled = multiply(left[:, None] + right, factor.mantissa, factor.shift)
    return np.asarray(np.clip(scaled + signature.output.quant.zero_point, *clamp))


KERNELS: tuple[Kernel, ...] = (AddInt8Plane(),)
