"""The tests of every kernel family again, with the generated C on simavr: constants in flash."""
# ruff: noqa: F401 - what is imported are tests, which pytest collects here once more for another core

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kernels import (
    test_elementwise,
    test_functions,
    test_index,
    test_movement,
    test_quantization,
    test_reduce,
    test_resize,
    test_state,
)
from kernels.test_elementwise import (
    test_a_constant_operand,
    test_arithmetic,
    test_comparisons,
    test_extremes,
    test_logic,
    test_sum_of_many,
)
from kernels.test_functions import (
    test_float_functions_agree_with_micro,
    test_int8_functions_of_every_byte,
    test_int16_functions,
    test_int16_functions_that_are_interpolated,
    test_int16_sigmoids,
    test_l2_normalization,
    test_log_softmax,
    test_prelu,
    test_rows_of_floats,
    test_softmax,
)
from kernels.test_index import test_index_ops_are_exact
from kernels.test_movement import test_movement_is_exact
from kernels.test_quantization import (
    test_casts,
    test_floats_to_quanta,
    test_quanta_to_floats,
    test_requantisation,
)
from kernels.test_reduce import test_reductions_are_exact
from kernels.test_resize import test_resizing_is_exact
from kernels.test_state import (
    test_circular_buffers_are_states,
    test_windows_slide_as_in_micro,
)
from support.avr import check_on_avr, needs_avr
from support.threeway import Model
from unit.ops import test_layers_of_every_type, test_recurrent_layers, test_signal_ops
from unit.ops.test_layers_of_every_type import (
    test_convolutions,
    test_dense_layers,
    test_float_layers_with_quantised_weights,
    test_matrix_products,
    test_poolings,
    test_transposed_convolutions,
)
from unit.ops.test_recurrent_layers import (
    test_lstm_goes_on_from_run_to_run,
    test_svdf_remembers_as_many_runs_as_its_memory,
)
from unit.ops.test_signal_ops import (
    test_from_spectrum_to_log_energies,
    test_noise_is_estimated_over_runs,
    test_streams_are_cut_delayed_and_added,
    test_transforms_of_every_radix,
    test_windows_and_scales,
)

pytestmark = needs_avr
MODULES = (
    test_elementwise,
    test_functions,
    test_index,
    test_movement,
    test_quantization,
    test_reduce,
    test_resize,
    test_state,
    test_layers_of_every_type,
    test_recurrent_layers,
    test_signal_ops,
)


@pytest.fixture(
    autouse=True,
    params=[
        pytest.param((9, "balanced"), id="some"),
        pytest.param((1, "balanced"), id="all", marks=pytest.mark.slow),
        pytest.param((4, "size"), id="for-size", marks=pytest.mark.slow),
        pytest.param((4, "speed"), id="for-speed", marks=pytest.mark.slow),
    ],
)
def on_avr(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the tests run every so manieth of their models on an ATmega1284P."""
    step, objective = request.param

    def check(models: Sequence[Model]) -> None:
        check_on_avr(models[::step], objective)

    for module in MODULES:
        monkeypatch.setattr(module, "check", check)
