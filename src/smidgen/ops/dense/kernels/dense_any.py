"""Fully connected layers of every type, in portable C."""

from __future__ import annotations

from smidgen.graph.op import Op, Signature
from smidgen.ops.dense.ops import Dense, multipliers
from smidgen.ops.kernel import Cost, CStruct, CValue, Kernel, KernelCall
from smidgen.ops.support.generic import (
    accepts_quanta,
    accepts_real,
    call,
    finish_struct,
    quanta_function,
    real_function,
    real_struct,
    zero_point_fields,
)
from smidgen.targets.catalogue import Core


def _sizes(signature: Signature) -> tuple[tuple[str, CValue], ...]:
    outputs, depth = signature.input(1).shape
    rows = signature.input(0).elements // depth
    return ("rows", rows), ("depth", depth), ("outputs", outputs)


class DenseQuanta(Kernel):
    """Any integer fully connected layer: int16, int4, weights computed at run time."""

    name = "dense_q"
    op = Dense

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Every integer type."""
        del op
        return accepts_quanta(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OI), as an argument."""
        del core
        assert isinstance(op, Dense)
        params = CStruct(
            "smg_dense_q_t",
            (
                *_sizes(signature),
                *zero_point_fields(signature),
                ("finish", finish_struct(signature, multipliers(signature), op.activation)),
            ),
        )
        function = quanta_function("smg_dense", signature)
        return call(self.name, "smg_dense_q.h", function, params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 10 instructions for each multiply-accumulate."""
        del core
        return Cost(10.0 * op.macs(signature) + 40.0 * signature.output.elements)


class DenseReal(Kernel):
    """Any fully connected layer of floats, by float or quantised weights."""

    name = "dense_f32"
    op = Dense

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Float in and out."""
        del op
        return accepts_real(signature)

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Weights as they are (OI), as an argument."""
        del core
        assert isinstance(op, Dense)
        params = CStruct(
            "smg_dense_f32_t",
            (*_sizes(signature), ("finish", real_struct(signature, op.activation))),
        )
        function = real_function("smg_dense", signature)
        return call(self.name, "smg_dense_f32.h", function, params)

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 60 instructions for each multiply-accumulate without an FPU, 6 with one."""
        each = 6.0 if "fpu" in core.features else 60.0
        return Cost(each * op.macs(signature) + 40.0 * signature.output.elements)


KERNELS: tuple[Kernel, ...] = (DenseQuanta(), DenseReal())
