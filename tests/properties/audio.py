"""The audio front end of TensorFlow Lite Micro, from samples to log energies, cut off anywhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from flatbuffers import flexbuffers

from properties.net import Net, Value

_NUMBERS = {"float32": 0, "int32": 2, "int16": 7}
"""Types as the schema numbers them."""


def _options(values: Mapping[str, int | bool]) -> bytes:
    return bytes(flexbuffers.Dumps(dict(values)))


def _samples(length: int, dtype: str = "int16") -> Value:
    low, high = (-32768.0, 32767.0) if dtype != "float32" else (-1.0, 1.0)
    return Value(-1, (length,), dtype, low=low, high=high)


def front_end(net: Net) -> None:
    """Window, scaling, FFT, energies, filters, root, noise, gain, logarithm."""
    points = net.pick([8, 16, 32, 64, 128])
    length = net.whole(points // 2 + 1, points)
    x = net.input(_samples(length))
    window = net.constant(net.rng.integers(0, 4097, length), "int16")
    depth = net.whole(1, 8)
    (x,) = net.add("SignalWindow", [x, window], [x], custom_options=_options({"shift": 12}))
    x, shift = net.add("SignalFftAutoScale", [x], [x, Value(-1, (), "int32")],
                       custom_options=_options({}))  # fmt: skip
    (x,) = net.add("SignalRfft", [x], [_samples(points + 2)],
                   custom_options=_options({"T": 7, "fft_length": points}))  # fmt: skip
    if depth < 2:
        return
    bins = points // 2 + 1
    first = net.whole(0, bins // 2)
    # Micro leaves the bins outside unwritten, so that all are asked for.
    energy = Value(-1, (bins,), "uint32")
    (x,) = net.add("SignalEnergy", [x], [energy],
                   custom_options=_options({"start_index": 0, "end_index": bins}))  # fmt: skip
    if depth < 3:
        return
    channels = net.whole(1, 6)
    x = _filtered(net, x, channels, first, bins)
    _levels(net, x, shift, channels, depth)


def _filtered(net: Net, x: Value, channels: int, first: int, bins: int) -> Value:
    starts = np.sort(net.rng.integers(first, bins, channels + 1))
    widths = np.array([net.whole(0, min(4, bins - start)) for start in starts])
    weight_starts = np.concatenate([[0], np.cumsum(widths)[:-1]])
    count = max(1, int(widths.sum()))
    tables = [net.rng.integers(0, 4097, count) for _ in range(2)]
    tables += [starts, weight_starts, widths]
    inputs = [x, *(net.constant(table, "int16") for table in tables)]
    made = Value(-1, (channels,), "uint64")
    options = _options({"num_channels": channels})
    return net.add("SignalFilterBank", inputs, [made], custom_options=options)[0]


def _levels(net: Net, x: Value, shift: Value, channels: int, depth: int) -> None:
    level = Value(-1, (channels,), "uint32")
    if depth < 4:
        return
    (x,) = net.add("SignalFilterBankSquareRoot", [x, shift], [level], custom_options=_options({}))
    if depth < 5:
        return
    smoothing = {"smoothing": 409, "one_minus_smoothing": 15975, "alternate_smoothing": 983,
                 "alternate_one_minus_smoothing": 15401, "smoothing_bits": net.whole(6, 10),
                 "min_signal_remaining": 819, "spectral_subtraction_bits": 14,
                 "num_channels": channels, "clamping": net.chance(0.5)}  # fmt: skip
    x, noise = net.add("SignalFilterBankSpectralSubtraction", [x], [level, level],
                       custom_options=_options(smoothing))  # fmt: skip
    if depth > 6:
        table = net.constant(net.rng.integers(0, 32000, 125) // np.arange(1, 126), "int16")
        options = _options({"snr_shift": net.whole(4, 10)})
        (x,) = net.add("SignalPCAN", [x, noise, table], [level], custom_options=options)
    if depth > 5:
        options = _options({"input_correction_bits": 3, "output_scale": net.whole(1, 64)})
        logs = Value(-1, (channels,), "int16")
        net.add("SignalFilterBankLog", [x], [logs], custom_options=options)


def stream(net: Net) -> None:
    """Framing, delay, stacking or overlap-add of a stream: state that lives in the operator.

    Frames and stacks are full from the start; what others hold Micro leaves as memory was.
    """
    kind, step = net.whole(0, 3), net.whole(1, 5)
    if kind == 0:
        size, frames = step + net.whole(0, 6), net.whole(1, 3)
        x = net.input(Value(-1, (1, step * frames), "int16", low=-32768.0, high=32767.0))
        options = {"frame_size": size, "frame_step": step, "prefill": True}
        made = [Value(-1, (1, frames, size), "int16"), Value(-1, (), "bool")]
        net.add("SignalFramer", [x], made, custom_options=_options(options))
    elif kind == 1:
        x = net.input(Value(-1, (1, net.whole(2, 9)), "int16", low=-32768.0, high=32767.0))
        options = {"delay_length": net.whole(1, 12)}
        net.add("SignalDelay", [x], [x], custom_options=_options(options))
    elif kind == 2:
        frames, channels = net.whole(1, 3), net.whole(1, 6)
        x = net.input(_samples(channels))
        options = {"num_channels": channels, "stacker_left_context": frames - 1,
                   "stacker_right_context": 0, "stacker_step": 1}  # fmt: skip
        made = [Value(-1, (channels * frames,), "int16"), Value(-1, (), "bool")]
        net.add("SignalStacker", [x], made, custom_options=_options(options))
    else:
        frames, dtype = net.whole(1, 3), net.pick(["int16", "float32"])
        reach = 32767.0 if dtype == "int16" else 1.0
        x = net.input(Value(-1, (1, frames, step + net.whole(0, 4)), dtype, low=-reach, high=reach))
        y = Value(-1, (1, frames * step), dtype)
        options = _options({"T": _NUMBERS[dtype], "frame_step": step})
        net.add("SignalOverlapAdd", [x], [y], custom_options=options)


def spectrum(net: Net) -> None:
    """A spectrum and back, in each type."""
    points, dtype = net.pick([8, 16, 32, 64]), net.pick(["int16", "int32", "float32"])
    length = net.whole(points // 2, points)
    reach = {"int16": 32767.0, "int32": 2.0**30, "float32": 1.0}[dtype]
    x = net.input(Value(-1, (length,), dtype, low=-reach, high=reach))
    options = _options({"T": _NUMBERS[dtype], "fft_length": points})
    (y,) = net.add("SignalRfft", [x], [Value(-1, (points + 2,), dtype)], custom_options=options)
    if net.chance(0.6):
        net.add("SignalIrfft", [y], [Value(-1, (points,), dtype)], custom_options=options)
