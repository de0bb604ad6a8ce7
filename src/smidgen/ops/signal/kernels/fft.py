"""FFTs of real signals, in portable C."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import CArray, Cost, CStruct, InputArg, Kernel, KernelCall, OutputArg
from smidgen.ops.signal.fft import Arithmetic, Plan, arithmetic
from smidgen.ops.signal.transforms import Irfft, Rfft
from smidgen.targets.catalogue import Core

_SUFFIXES = {DType.INT16: "s16", DType.INT32: "s32", DType.FLOAT32: "f32"}


class _FftKernel(Kernel):
    """What both directions share: the plan's tables."""

    function: str
    is_inverse: bool

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Lengths whose points a 16-bit table can name."""
        assert isinstance(op, (Rfft, Irfft))
        return signature.output.dtype in _SUFFIXES and op.length // 2 <= 1 << 16

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Radices, destinations and twiddles."""
        del core
        assert isinstance(op, (Rfft, Irfft))
        x, dtype = signature.input(0), signature.output.dtype
        plan, by = Plan(op.length, self.is_inverse), arithmetic(dtype)
        suffix = _SUFFIXES[dtype]
        params = CStruct(
            f"smg_fft_{suffix}",
            (
                ("rows", math.prod(x.shape[:-1])),
                ("size", plan.size),
                ("samples", x.shape[-1]),
                ("stages", len(plan.factors)),
                ("destinations", CArray(DType.UINT16, plan.destinations(), "order of the points")),
                ("radices", CArray(DType.INT8, np.array(plan.factors[::-1]), "radices")),
                ("twiddles", _circle(by, dtype, *plan.twiddles())),
                ("separating", _circle(by, dtype, *plan.separating_twiddles())),
            ),
        )
        header, function = f"smg_fft_{suffix}.h", f"{self.function}_{suffix}"
        return KernelCall(self.name, header, function, params, (InputArg(0), OutputArg(0)))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 15 instructions for each point and factor of two."""
        del core
        assert isinstance(op, (Rfft, Irfft))
        return Cost(15.0 * signature.output.elements * math.log2(op.length))


def _circle(by: Arithmetic, dtype: DType, cos: list[float], sin: list[float]) -> CArray:
    table: Array = np.stack([by.constants(cos), by.constants(sin)], axis=-1)
    return CArray(dtype, table, "cos, sin")


class RfftKernel(_FftKernel):
    """Signals to spectra."""

    name = "rfft"
    op = Rfft
    function = "smg_rfft"
    is_inverse = False


class IrfftKernel(_FftKernel):
    """Spectra to signals."""

    name = "irfft"
    op = Irfft
    function = "smg_irfft"
    is_inverse = True


KERNELS: tuple[Kernel, ...] = (RfftKernel(), IrfftKernel())
