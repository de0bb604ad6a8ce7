"""Kernels of ops on frames of samples."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Signature
from smidgen.ops.kernel import InputArg, Kernel, OutputArg, View
from smidgen.ops.signal.frames import ApplyWindow, Delay, FftAutoScale, Framer, OverlapAdd, Stacker
from smidgen.ops.signal.kernels.plain import Fields, PlainKernel


def _window(op: ApplyWindow, signature: Signature) -> Fields:
    length = signature.input(1).elements
    rows = signature.input(0).elements // length
    return ("rows", rows), ("length", length), ("shift", op.shift)


class ApplyWindowKernel(PlainKernel):
    """Frames times a window."""

    name = "apply_window"
    op = ApplyWindow
    arguments = (InputArg(0), InputArg(1), OutputArg(0))
    fields = staticmethod(_window)
    in_place = True


def _auto_scale(op: FftAutoScale, signature: Signature) -> Fields:
    del op
    return (("count", signature.input(0).elements),)


class FftAutoScaleKernel(PlainKernel):
    """Samples shifted up until they use all bits."""

    name = "fft_auto_scale"
    op = FftAutoScale
    arguments = (InputArg(0), OutputArg(0), OutputArg(1))
    fields = staticmethod(_auto_scale)
    in_place = True


def _framer(op: Framer, signature: Signature) -> Fields:
    rows, stride = signature.input(1).shape
    return (
        ("rows", rows),
        ("frames", signature.input(0).shape[-1] // op.step),
        ("size", op.size),
        ("step", op.step),
        ("kept", op.kept),
        ("row_stride", stride),
    )


class FramerKernel(PlainKernel):
    """Overlapping frames of a stream."""

    name = "framer"
    op = Framer
    arguments = (InputArg(0), OutputArg(0), OutputArg(1), OutputArg(2), OutputArg(3))
    fields = staticmethod(_framer)
    views = (View(("output", 2), ("input", 1)), View(("output", 3), ("input", 2)))


def _overlap_add(op: OverlapAdd, signature: Signature) -> Fields:
    rows, size = signature.input(1).shape
    frames = signature.input(0).shape[-2]
    return ("rows", rows), ("frames", frames), ("size", size), ("step", op.step)


class OverlapAddKernel(PlainKernel):
    """The stream that frames add up to."""

    name = "overlap_add"
    op = OverlapAdd
    arguments = (InputArg(0), OutputArg(0), OutputArg(1))
    fields = staticmethod(_overlap_add)
    views = (View(("output", 1), ("input", 1)),)

    def function(self, signature: Signature) -> str:
        """By type."""
        is_real = signature.input(0).dtype is DType.FLOAT32
        return "smg_overlap_add_f32" if is_real else "smg_overlap_add_s16"


def _delay(op: Delay, signature: Signature) -> Fields:
    rows, length = signature.input(1).shape
    del op
    return ("rows", rows), ("count", signature.input(0).shape[-1]), ("length", length)


class DelayKernel(PlainKernel):
    """A delayed stream."""

    name = "delay"
    op = Delay
    arguments = (InputArg(0), OutputArg(0), OutputArg(1))
    fields = staticmethod(_delay)
    views = (View(("output", 1), ("input", 1)),)


def _stacker(op: Stacker, signature: Signature) -> Fields:
    channels = signature.input(0).elements
    return (
        ("channels", channels),
        ("left", op.left),
        ("capacity", signature.input(1).elements),
        ("step", op.step * channels),
    )


class StackerKernel(PlainKernel):
    """Frames with their neighbours."""

    name = "stacker"
    op = Stacker
    arguments = (InputArg(0), OutputArg(0), OutputArg(1), OutputArg(2), OutputArg(3))
    fields = staticmethod(_stacker)
    views = (View(("output", 2), ("input", 1)), View(("output", 3), ("input", 2)))


KERNELS: tuple[Kernel, ...] = (
    ApplyWindowKernel(),
    FftAutoScaleKernel(),
    FramerKernel(),
    OverlapAddKernel(),
    DelayKernel(),
    StackerKernel(),
)
