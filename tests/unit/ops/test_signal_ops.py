"""The audio front end's custom operators, run by run: NumPy = Micro = C, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smidgen.core.errors import ModelFileError
from smidgen.ops.signal.fft import Plan
from smidgen.ops.signal.integer import square_root
from support.layers import activations, custom_model
from support.samples import DATA, needs_data
from support.tflite_writer import TensorSpec
from support.threeway import Model, check, graph_of

TYPE_NUMBERS = {"int16": 7, "int32": 2, "float32": 0}
RNG = np.random.default_rng(1)


def samples(*shape: int) -> np.ndarray:
    return RNG.integers(-32768, 32768, shape).astype(np.int16)


def magnitudes(*shape: int) -> np.ndarray:
    """uint32 of every size."""
    return (RNG.integers(0, 1 << 32, shape) >> RNG.integers(0, 31, shape)).astype(np.uint32)


def int16s(*shape: int, data: np.ndarray | None = None) -> TensorSpec:
    return TensorSpec(shape, "int16", data=data)


def uint32s(*shape: int) -> TensorSpec:
    return TensorSpec(shape, "uint32")


FLAG, WHOLE_NUMBER = TensorSpec([], "bool"), TensorSpec([], "int32")


@pytest.mark.parametrize("dtype", TYPE_NUMBERS)
def test_transforms_of_every_radix(dtype: str) -> None:
    models = []
    for length, given_samples in (
        (512, 480), (256, 256), (64, 64), (32, 30), (8, 8), (4, 4), (12, 12), (60, 50), (10, 10),
    ):  # fmt: skip
        options = {"T": TYPE_NUMBERS[dtype], "fft_length": length}
        time = TensorSpec([2, given_samples], dtype)
        bins, whole = TensorSpec([2, length + 2], dtype), TensorSpec([2, length], dtype)
        forth = custom_model("SignalRfft", options, [time], [bins])
        back = custom_model("SignalIrfft", options, [bins], [whole])
        signal = activations(RNG, dtype, (2, given_samples))
        spectrum = activations(RNG, dtype, (2, length + 2))
        models += [
            Model(f"rfft {dtype} {length}", forth, [[signal]]),
            Model(f"irfft {dtype} {length}", back, [[spectrum]]),
        ]
    check(models)


@given(st.integers(4, 4096))
def test_a_plan_visits_every_point_once(length: int) -> None:
    plan = Plan(length)
    if plan.is_possible:
        assert sorted(plan.destinations().tolist()) == list(range(length // 2))


def test_a_length_with_a_large_prime_is_refused() -> None:
    data = custom_model("SignalRfft", {"T": 7, "fft_length": 14}, [int16s(1, 14)], [int16s(1, 16)])
    with pytest.raises(ModelFileError, match="14 points"):
        graph_of(Model("rfft", data, []))


def test_windows_and_scales() -> None:
    window = custom_model(
        "SignalWindow", {"shift": 12}, [int16s(2, 480), int16s(480, data=samples(480))],
        [int16s(2, 480)],
    )  # fmt: skip
    models = [Model("window", window, [[samples(2, 480)]])]
    lowest = np.array([-32768], np.int16)
    for frame in (
        samples(64),
        samples(64) // 50,
        np.zeros(64, np.int16),
        np.concatenate([samples(30), lowest, samples(33) // 200]).astype(np.int16),
        np.concatenate([samples(61), lowest, np.array([-74, -30], np.int16)]),
    ):
        data = custom_model("SignalFftAutoScale", {}, [int16s(64)], [int16s(64), WHOLE_NUMBER])
        models.append(Model(f"scale {frame[-1]}", data, [[frame]]))
    check(models)


def test_from_spectrum_to_log_energies() -> None:
    energy = custom_model(
        "SignalEnergy", {"start_index": 0, "end_index": 33}, [int16s(66)], [uint32s(33)]
    )
    widths = np.array([3, 4, 2, 5, 6, 3], np.int16)
    starts = np.concatenate([[0], np.cumsum(widths)[:-1]]).astype(np.int16)
    bins = np.array([1, 4, 8, 10, 15, 21], np.int16)
    count = int(widths.sum())
    tables = [samples(count), samples(count), bins, starts, widths]
    bank = custom_model(
        "SignalFilterBank", {"num_channels": 5},
        [uint32s(40), *(int16s(len(table), data=table) for table in tables)],
        [TensorSpec([5], "uint64")],
    )  # fmt: skip
    gains = np.abs(samples(125) // 2)
    pcan = custom_model(
        "SignalPCAN", {"snr_shift": 6}, [uint32s(40), uint32s(40), int16s(125, data=gains)],
        [uint32s(40)],
    )  # fmt: skip
    lowest = np.full(66, -32768, np.int16)
    models = [
        Model("energy", energy, [[samples(66)], [lowest]]),
        Model("bank", bank, [[magnitudes(40)] for _ in range(4)]),
        Model("pcan", pcan, [[magnitudes(40), magnitudes(40)] for _ in range(5)]),
    ]
    for bits, scale in ((3, 64), (0, 60000)):
        options = {"input_correction_bits": bits, "output_scale": scale}
        log = custom_model("SignalFilterBankLog", options, [uint32s(60)], [int16s(60)])
        small = np.array([0, 1, 2], np.uint32)
        runs = [[np.concatenate([magnitudes(57), small])] for _ in range(5)]
        models.append(Model(f"log {scale}", log, runs))
    check(models)


@pytest.mark.parametrize("bits", [0, 3])
def test_square_roots_at_the_edges(bits: int) -> None:
    edges = np.array(
        [0, 1, 2, 3, 2**32 - 1, 2**32, 2**64 - 1, 2**64 - 2**33, 65535**2 + 65535], np.uint64
    )
    random = RNG.integers(0, 1 << 63, 20, dtype=np.uint64)
    values = np.concatenate([edges, random, random >> np.uint64(37)])
    shift = TensorSpec([], "int32", data=np.array(bits, np.int32))
    data = custom_model(
        "SignalFilterBankSquareRoot", {}, [TensorSpec([len(values)], "uint64"), shift],
        [uint32s(len(values))],
    )  # fmt: skip
    check([Model("roots", data, [[values]])])


@settings(max_examples=200)
@given(st.integers(0, 2**64 - 1))
def test_square_roots_are_rounded(x: int) -> None:
    root = square_root(x)
    if root not in (0xFFFF, 0xFFFFFFFF):
        assert (2 * root - 1) ** 2 <= 4 * x <= (2 * root + 1) ** 2 or x == 0


@pytest.mark.parametrize("clamping", [False, True])
def test_noise_is_estimated_over_runs(clamping: bool) -> None:
    options = {
        "alternate_one_minus_smoothing": 15401, "alternate_smoothing": 983, "clamping": clamping,
        "min_signal_remaining": 819, "num_channels": 6, "one_minus_smoothing": 15975,
        "smoothing": 409, "smoothing_bits": 10, "spectral_subtraction_bits": 14,
    }  # fmt: skip
    data = custom_model(
        "SignalFilterBankSpectralSubtraction", options, [uint32s(6)], [uint32s(6), uint32s(6)]
    )
    check([Model("noise", data, [[magnitudes(6)] for _ in range(8)])])


def test_streams_are_cut_delayed_and_added() -> None:
    models = []
    for size, step, count in ((400, 160, 320), (400, 160, 160), (10, 5, 5), (8, 8, 16)):
        options = {"frame_size": size, "frame_step": step, "prefill": True}
        made = [int16s(2, count // step, size), FLAG]
        data = custom_model("SignalFramer", options, [int16s(2, count)], made)
        models.append(Model(f"frames {size}", data, [[samples(2, count)] for _ in range(5)]))
    for dtype in ("int16", "float32"):
        options = {"T": TYPE_NUMBERS[dtype], "frame_step": 5}
        frames, stream = TensorSpec([2, 3, 8], dtype), TensorSpec([2, 15], dtype)
        data = custom_model("SignalOverlapAdd", options, [frames], [stream])
        runs = [[activations(RNG, dtype, (2, 3, 8))] for _ in range(4)]
        models.append(Model(f"sums {dtype}", data, runs))
    for length in (0, 3, 10):
        data = custom_model("SignalDelay", {"delay_length": length}, [int16s(2, 6)], [int16s(2, 6)])
        models.append(Model(f"delay {length}", data, [[samples(2, 6)] for _ in range(4)]))
    options = {
        "num_channels": 3, "stacker_left_context": 2, "stacker_right_context": 0,
        "stacker_step": 1,
    }  # fmt: skip
    stack = custom_model("SignalStacker", options, [int16s(3)], [int16s(9), FLAG])
    models.append(Model("stack", stack, [[samples(3)] for _ in range(5)]))
    check(models)


def test_frames_and_stacks_say_when_they_are_not_whole() -> None:
    """Micro leaves what is not whole as it finds it; ours is defined, and the same in C."""
    framer = custom_model(
        "SignalFramer", {"frame_size": 10, "frame_step": 4, "prefill": False}, [int16s(1, 4)],
        [int16s(1, 1, 10), FLAG],
    )  # fmt: skip
    options = {
        "num_channels": 2, "stacker_left_context": 1, "stacker_right_context": 1,
        "stacker_step": 2,
    }  # fmt: skip
    stacker = custom_model("SignalStacker", options, [int16s(2)], [int16s(6), FLAG])
    check(
        [
            Model("frames", framer, [[samples(1, 4)] for _ in range(5)], micro=False),
            Model("stack", stacker, [[samples(2)] for _ in range(6)], micro=False),
        ]
    )


@needs_data
def test_the_audio_preprocessor_of_micro() -> None:
    path = DATA / "models" / "tflm" / "audio_preprocessor_int8.tflite"
    time = np.arange(480 * 8) / 16000
    tone = 8000 * np.sin(2 * np.pi * 440 * time) + RNG.normal(0, 300, time.shape)
    clips = [
        *tone.astype(np.int16).reshape(8, 1, 480),
        *samples(6, 1, 480),
        np.zeros((1, 480), np.int16),
    ]
    check([Model("audio", path.read_bytes(), [[clip] for clip in clips])])
