"""Kernels of ops between a spectrum and its log energies."""

from __future__ import annotations

from smidgen.core.dtypes import DType
from smidgen.graph.op import Signature
from smidgen.ops.kernel import CArray, InputArg, Kernel, OutputArg, View
from smidgen.ops.signal.channels import (
    Energy,
    FilterBank,
    FilterBankLog,
    FilterBankSquareRoot,
    Pcan,
    SpectralSubtraction,
)
from smidgen.ops.signal.integer import LOG_TABLE
from smidgen.ops.signal.kernels.plain import Fields, PlainKernel


def _energy(op: Energy, signature: Signature) -> Fields:
    return ("bins", signature.output.elements), ("start", op.start), ("end", op.end)


class EnergyKernel(PlainKernel):
    """Squares of bins."""

    name = "energy"
    op = Energy
    arguments = (InputArg(0), OutputArg(0))
    fields = staticmethod(_energy)


def _filter_bank(op: FilterBank, signature: Signature) -> Fields:
    del signature
    return (("channels", op.channels),)


class FilterBankKernel(PlainKernel):
    """Triangular filters."""

    name = "filter_bank"
    op = FilterBank
    arguments = (*(InputArg(index) for index in range(6)), OutputArg(0))
    fields = staticmethod(_filter_bank)


def _square_root(op: FilterBankSquareRoot, signature: Signature) -> Fields:
    del op
    return (("channels", signature.output.elements),)


class FilterBankSquareRootKernel(PlainKernel):
    """Square roots of channels."""

    name = "filter_bank_sqrt"
    op = FilterBankSquareRoot
    arguments = (InputArg(0), InputArg(1), OutputArg(0))
    fields = staticmethod(_square_root)
    instructions = 400.0


def _subtraction(op: SpectralSubtraction, signature: Signature) -> Fields:
    return (
        ("channels", signature.output.elements),
        ("smoothing", op.smoothing),
        ("one_minus_smoothing", op.one_minus_smoothing),
        ("alternate_smoothing", op.alternate_smoothing),
        ("alternate_one_minus_smoothing", op.alternate_one_minus_smoothing),
        ("smoothing_bits", op.smoothing_bits),
        ("min_signal_remaining", op.min_signal_remaining),
        ("spectral_subtraction_bits", op.spectral_subtraction_bits),
        ("clamping", int(op.clamping)),
    )


class SpectralSubtractionKernel(PlainKernel):
    """Noise taken off."""

    name = "spectral_subtraction"
    op = SpectralSubtraction
    arguments = (InputArg(0), OutputArg(0), OutputArg(1), OutputArg(2))
    fields = staticmethod(_subtraction)
    views = (View(("output", 2), ("input", 1)),)


def _pcan(op: Pcan, signature: Signature) -> Fields:
    return ("channels", signature.output.elements), ("snr_shift", op.snr_shift)


class PcanKernel(PlainKernel):
    """Automatic gain."""

    name = "pcan"
    op = Pcan
    arguments = (InputArg(0), InputArg(1), InputArg(2), OutputArg(0))
    fields = staticmethod(_pcan)
    in_place = True


def _log(op: FilterBankLog, signature: Signature) -> Fields:
    return (
        ("channels", signature.output.elements),
        ("scale", op.scale),
        ("correction_bits", op.correction_bits),
        ("table", CArray(DType.UINT16, LOG_TABLE, "log2(1 + f) - f, Q0.16")),
    )


class FilterBankLogKernel(PlainKernel):
    """Logarithms of channels."""

    name = "filter_bank_log"
    op = FilterBankLog
    arguments = (InputArg(0), OutputArg(0))
    fields = staticmethod(_log)
    instructions = 80.0


KERNELS: tuple[Kernel, ...] = (
    EnergyKernel(),
    FilterBankKernel(),
    FilterBankSquareRootKernel(),
    SpectralSubtractionKernel(),
    PcanKernel(),
    FilterBankLogKernel(),
)
