"""RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR."""

from __future__ import annotations

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.operators.shaping import ints
from smidgen.frontends.tflite.options import ResizeBilinearOptions, ResizeNearestNeighborOptions
from smidgen.ops.resize.ops import ResizeBilinear, ResizeNearest


@converts("RESIZE_NEAREST_NEIGHBOR")
def resize_nearest(conversion: Conversion, operator: TfliteOperator) -> None:
    """To a constant size."""
    options = conversion.options(operator, ResizeNearestNeighborOptions)
    op = ResizeNearest(
        _size(conversion, operator), options.align_corners, options.half_pixel_centers
    )
    conversion.emit(operator, op, [0])


@converts("RESIZE_BILINEAR")
def resize_bilinear(conversion: Conversion, operator: TfliteOperator) -> None:
    """To a constant size."""
    options = conversion.options(operator, ResizeBilinearOptions)
    if options.align_corners and options.half_pixel_centers:
        raise ModelFileError(
            conversion.where(operator), "sets both align_corners and half_pixel_centers"
        )
    op = ResizeBilinear(
        _size(conversion, operator), options.align_corners, options.half_pixel_centers
    )
    conversion.emit(operator, op, [0])


def _size(conversion: Conversion, operator: TfliteOperator) -> tuple[int, int]:
    size = ints(conversion, operator, 1)
    if len(size) != 2:
        raise ModelFileError(conversion.where(operator), f"its size is {size}")
    return size[0], size[1]
