"""Kernels of the resizings: where each output takes its pixels from is a table."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.graph.op import Op, Signature
from smidgen.ops.kernel import (
    CArray,
    Cost,
    CStruct,
    CValue,
    InputArg,
    Kernel,
    KernelCall,
    OutputArg,
)
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest, Taps
from smidgen.targets.catalogue import Core


class Nearest(Kernel):
    """Any type, any size."""

    name = "resize_nearest"
    op = ResizeNearest

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Elements of whole bytes."""
        del op
        return signature.output.dtype.value.bits >= 8

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Byte offsets of the row and of the pixel in it."""
        del core
        assert isinstance(op, ResizeNearest)
        x, y = signature.input(0), signature.output
        pixel = x.dtype.nbytes(x.shape[3])
        row = pixel * x.shape[2]
        fields: tuple[tuple[str, CValue], ...] = (
            ("batches", x.shape[0]),
            ("batch_bytes", row * x.shape[1]),
            ("out_rows", y.shape[1]),
            ("out_cols", y.shape[2]),
            ("pixel_bytes", pixel),
            ("rows", _table(op.sources(0, x.shape[1]) * row, "byte of each output row's source")),
            ("cols", _table(op.sources(1, x.shape[2]) * pixel, "byte of each column's source")),
        )
        return KernelCall(
            self.name,
            "smg_resize_nearest.h",
            "smg_resize_nearest",
            CStruct("smg_resize_nearest_t", fields),
            (InputArg(0), OutputArg(0)),
        )

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 20 instructions a pixel, and one a byte."""
        del op, core
        y = signature.output
        return Cost(20.0 * (y.elements / max(y.shape[3], 1)) + y.nbytes)


class _Bilinear(Kernel):
    """What the bilinear kernels share: tables of neighbours and fractions."""

    op = ResizeBilinear
    dtype: DType
    fraction: DType

    def accepts(self, op: Op, signature: Signature) -> bool:
        """Its type."""
        del op
        return signature.input(0).dtype is self.dtype and signature.output.dtype is self.dtype

    def _taps(self, op: ResizeBilinear, axis: int, extent: int) -> Taps:
        raise NotImplementedError

    def lower(self, op: Op, signature: Signature, core: Core) -> KernelCall:
        """Element offsets of the neighbours, and the fractions."""
        del core
        assert isinstance(op, ResizeBilinear)
        x, y = signature.input(0), signature.output
        fields: list[tuple[str, CValue]] = [
            ("batches", x.shape[0]),
            ("batch_elements", x.elements // x.shape[0]),
            ("out_rows", y.shape[1]),
            ("out_cols", y.shape[2]),
            ("channels", x.shape[3]),
        ]
        for axis, (side, step) in enumerate(
            (("row", x.shape[2] * x.shape[3]), ("col", x.shape[3]))
        ):
            taps = self._taps(op, axis, x.shape[axis + 1])
            fields += [
                (f"{side}_lower", _table(taps.lower * step)),
                (f"{side}_upper", _table(taps.upper * step)),
                (f"{side}_fraction", CArray(self.fraction, taps.fraction)),
            ]
        stem = f"smg_{self.name}"
        params = CStruct(f"{stem}_t", tuple(fields))
        return KernelCall(self.name, f"{stem}.h", stem, params, (InputArg(0), OutputArg(0)))

    def cost(self, op: Op, signature: Signature, core: Core) -> Cost:
        """About 25 instructions an element."""
        del op, core
        return Cost(25.0 * signature.output.elements)


class BilinearInt8(_Bilinear):
    """Int8, in fixed point."""

    name, dtype, fraction = "resize_bilinear_s8", DType.INT8, DType.INT32

    def _taps(self, op: ResizeBilinear, axis: int, extent: int) -> Taps:
        return op.integer_taps(axis, extent)


class BilinearFloat(_Bilinear):
    """Floats."""

    name, dtype, fraction = "resize_bilinear_f32", DType.FLOAT32, DType.FLOAT32

    def _taps(self, op: ResizeBilinear, axis: int, extent: int) -> Taps:
        return op.float_taps(axis, extent)


def _table(values: Array, comment: str = "") -> CArray:
    return CArray(DType.INT32, values.astype(np.int32), comment)


KERNELS: tuple[Kernel, ...] = (Nearest(), BilinearInt8(), BilinearFloat())
