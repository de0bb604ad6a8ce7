"""The custom operators of TensorFlow Lite Micro's audio front end."""

from __future__ import annotations

import math

import numpy as np

from smidgen.core.errors import ModelFileError
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer_map
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.variables import MOST_STATE_ELEMENTS, emit_stateful, own_state
from smidgen.ops.shape.ops import Reshape
from smidgen.ops.signal.channels import (
    Energy,
    FilterBank,
    FilterBankLog,
    FilterBankSquareRoot,
    Pcan,
    SpectralSubtraction,
)
from smidgen.ops.signal.frames import ApplyWindow, Delay, FftAutoScale, Framer, OverlapAdd, Stacker
from smidgen.ops.signal.transforms import Irfft, Rfft


def whole_numbers(conversion: Conversion, operator: TfliteOperator, *names: str) -> tuple[int, ...]:
    """The options called `names`, which must be there; flags count as 0 and 1."""
    options = read_flexbuffer_map(operator.custom_options, conversion.where(operator))
    found = tuple(options.get(name) for name in names)
    for name, value in zip(names, found, strict=True):
        if not isinstance(value, (bool, int)):
            raise ModelFileError(conversion.where(operator), f"its option {name!r} is {value!r}")
        if not -(1 << 31) <= value < 1 << 31:
            raise ModelFileError(conversion.where(operator), f"its option {name!r} is too large")
    return tuple(int(value) for value in found if isinstance(value, (bool, int)))


def _rows(conversion: Conversion, operator: TfliteOperator, inner_axes: int = 1) -> int:
    shape = conversion.tensor(operator, 0).shape
    if len(shape) < inner_axes:
        raise ModelFileError(conversion.where(operator), f"its input has the shape {list(shape)}")
    return math.prod(shape[: len(shape) - inner_axes])


def _zeros(conversion: Conversion, operator: TfliteOperator, shape: tuple[int, ...]) -> str:
    """A state of zeros of the input's type."""
    if min(shape, default=0) < 1 or math.prod(shape) > MOST_STATE_ELEMENTS:
        raise ModelFileError(conversion.where(operator), f"would keep {list(shape)} values")
    dtype = conversion.dtype(conversion.tensor(operator, 0))
    return own_state(conversion, operator, np.zeros(shape, dtype.numpy))


@converts("SignalWindow")
def window(conversion: Conversion, operator: TfliteOperator) -> None:
    """Frames times a window."""
    conversion.require(operator, 2)
    conversion.emit(operator, ApplyWindow(*whole_numbers(conversion, operator, "shift")))


@converts("SignalFftAutoScale")
def fft_auto_scale(conversion: Conversion, operator: TfliteOperator) -> None:
    """Two outputs: samples, and the shift."""
    conversion.require(operator, 1)
    conversion.emit(operator, FftAutoScale())


@converts("SignalRfft")
def rfft(conversion: Conversion, operator: TfliteOperator) -> None:
    """Real signals to spectra."""
    conversion.require(operator, 1)
    conversion.emit(operator, Rfft(*whole_numbers(conversion, operator, "fft_length")))


@converts("SignalIrfft")
def irfft(conversion: Conversion, operator: TfliteOperator) -> None:
    """Spectra to real signals."""
    conversion.require(operator, 1)
    conversion.emit(operator, Irfft(*whole_numbers(conversion, operator, "fft_length")))


@converts("SignalEnergy")
def energy(conversion: Conversion, operator: TfliteOperator) -> None:
    """Squares of bins."""
    conversion.require(operator, 1)
    bounds = whole_numbers(conversion, operator, "start_index", "end_index")
    conversion.emit(operator, Energy(*bounds))


@converts("SignalFilterBank")
def filter_bank(conversion: Conversion, operator: TfliteOperator) -> None:
    """Weights, unweights and where they start are constant inputs."""
    conversion.require(operator, 6)
    conversion.emit(operator, FilterBank(*whole_numbers(conversion, operator, "num_channels")))


@converts("SignalFilterBankSquareRoot")
def filter_bank_square_root(conversion: Conversion, operator: TfliteOperator) -> None:
    """The shift is the second input."""
    conversion.require(operator, 2)
    conversion.emit(operator, FilterBankSquareRoot())


@converts("SignalFilterBankSpectralSubtraction")
def spectral_subtraction(conversion: Conversion, operator: TfliteOperator) -> None:
    """The noise estimate lives inside the operator, and is its second output."""
    conversion.require(operator, 1)
    fresh, old, odd_fresh, odd_old, up, least, down, clamping = whole_numbers(
        conversion,
        operator,
        "smoothing",
        "one_minus_smoothing",
        "alternate_smoothing",
        "alternate_one_minus_smoothing",
        "smoothing_bits",
        "min_signal_remaining",
        "spectral_subtraction_bits",
        "clamping",
    )
    if not (0 <= up < 32 and 0 <= down < 64):
        raise ModelFileError(conversion.where(operator), f"shifts by {up} and {down} bits")
    op = SpectralSubtraction(fresh, old, odd_fresh, odd_old, up, least, down, bool(clamping))
    noise = _zeros(conversion, operator, conversion.tensor(operator, 0).shape)
    emit_stateful(conversion, operator, op, [conversion.input_name(operator, 0)], [noise])


@converts("SignalPCAN")
def pcan(conversion: Conversion, operator: TfliteOperator) -> None:
    """Inputs: signal, noise, gains."""
    conversion.require(operator, 3)
    conversion.emit(operator, Pcan(*whole_numbers(conversion, operator, "snr_shift")))


@converts("SignalFilterBankLog")
def filter_bank_log(conversion: Conversion, operator: TfliteOperator) -> None:
    """Logarithms of channels."""
    conversion.require(operator, 1)
    numbers = whole_numbers(conversion, operator, "output_scale", "input_correction_bits")
    conversion.emit(operator, FilterBankLog(*numbers))


@converts("SignalFramer")
def framer(conversion: Conversion, operator: TfliteOperator) -> None:
    """Samples are kept inside the operator."""
    conversion.require(operator, 1)
    size, step, prefill = whole_numbers(conversion, operator, "frame_size", "frame_step", "prefill")
    if min(size, step) < 1:
        raise ModelFileError(conversion.where(operator), f"frames of {size} in steps of {step}")
    op = Framer(size, step, bool(prefill))
    kept = _zeros(conversion, operator, (_rows(conversion, operator), max(op.kept, 1)))
    start = np.array([op.kept if op.prefill else 0], np.int32)
    count = own_state(conversion, operator, start)
    emit_stateful(conversion, operator, op, [conversion.input_name(operator, 0)], [kept, count])


@converts("SignalOverlapAdd")
def overlap_add(conversion: Conversion, operator: TfliteOperator) -> None:
    """Sums are kept inside the operator."""
    conversion.require(operator, 1)
    op = OverlapAdd(*whole_numbers(conversion, operator, "frame_step"))
    rows = _rows(conversion, operator, 2)
    sums = _zeros(conversion, operator, (rows, conversion.tensor(operator, 0).shape[-1]))
    emit_stateful(conversion, operator, op, [conversion.input_name(operator, 0)], [sums])


@converts("SignalDelay")
def delay(conversion: Conversion, operator: TfliteOperator) -> None:
    """Samples are kept inside the operator."""
    conversion.require(operator, 1)
    (length,) = whole_numbers(conversion, operator, "delay_length")
    if length == 0:
        conversion.emit(operator, Reshape(conversion.tensor(operator, 0).shape), [0])
        return
    kept = _zeros(conversion, operator, (_rows(conversion, operator), length))
    inputs = [conversion.input_name(operator, 0)]
    emit_stateful(conversion, operator, Delay(length), inputs, [kept])


@converts("SignalStacker")
def stacker(conversion: Conversion, operator: TfliteOperator) -> None:
    """Frames are kept inside the operator."""
    conversion.require(operator, 1)
    channels, left, right, step = whole_numbers(
        conversion,
        operator,
        "num_channels",
        "stacker_left_context",
        "stacker_right_context",
        "stacker_step",
    )
    shape = conversion.tensor(operator, 0).shape
    if shape != (channels,):
        raise ModelFileError(
            conversion.where(operator), f"stacks {channels} channels of an input {list(shape)}"
        )
    queue = _zeros(conversion, operator, (channels * (left + right + 1),))
    count = own_state(conversion, operator, np.array([-1], np.int32))
    inputs = [conversion.input_name(operator, 0)]
    emit_stateful(conversion, operator, Stacker(left, right, step), inputs, [queue, count])
