"""SVDF and UNIDIRECTIONAL_SEQUENCE_LSTM."""

from __future__ import annotations

from smidgen.core.errors import UnsupportedOp
from smidgen.frontends.tflite.conversion import Conversion, converts
from smidgen.frontends.tflite.model import TfliteOperator
from smidgen.frontends.tflite.options import SVDFOptions, UnidirectionalSequenceLSTMOptions
from smidgen.frontends.tflite.schema import Activation as FileActivation
from smidgen.frontends.tflite.variables import emit_stateful, variable
from smidgen.ops.recurrent.lstm import Lstm
from smidgen.ops.recurrent.svdf import Svdf

# Weights of the input, forget, cell and output gates; recurrent ones; biases.
_PLAIN_WEIGHTS = (1, 2, 3, 4, 5, 6, 7, 8, 12, 13, 14, 15)
_EXTRA_WEIGHTS = {
    9: "peepholes", 10: "peepholes", 11: "peepholes", 16: "a projection", 17: "a projection",
    20: "layer normalisation", 21: "layer normalisation", 22: "layer normalisation",
    23: "layer normalisation",
}  # fmt: skip
_HIDDEN_STATE, _CELL_STATE = 18, 19


@converts("SVDF")
def svdf(conversion: Conversion, operator: TfliteOperator) -> None:
    """The state is the fifth input."""
    options = conversion.options(operator, SVDFOptions)
    op = Svdf(options.rank, conversion.activation(operator, options.activation))
    conversion.require(operator, 3)
    inputs = [conversion.input_name(operator, position) for position in range(4)]
    emit_stateful(conversion, operator, op, inputs, [variable(conversion, operator, 4)])


@converts("UNIDIRECTIONAL_SEQUENCE_LSTM")
def unidirectional_sequence_lstm(conversion: Conversion, operator: TfliteOperator) -> None:
    """The plain LSTM, which is the one that TensorFlow Lite Micro has."""
    options = conversion.options(operator, UnidirectionalSequenceLSTMOptions)
    conversion.require(operator, 1)
    _refuse_extras(conversion, operator, options)
    op = Lstm(options.time_major, options.cell_clip)
    inputs = [conversion.input_name(operator, place) for place in (0, *_PLAIN_WEIGHTS)]
    states = [variable(conversion, operator, place) for place in (_HIDDEN_STATE, _CELL_STATE)]
    emit_stateful(conversion, operator, op, inputs, states)


def _refuse_extras(
    conversion: Conversion, operator: TfliteOperator, options: UnidirectionalSequenceLSTMOptions
) -> None:
    extras = [
        what for place, what in _EXTRA_WEIGHTS.items() if conversion.has_input(operator, place)
    ]
    if not all(conversion.has_input(operator, place) for place in _PLAIN_WEIGHTS):
        extras.append("coupled gates")
    if options.activation is not FileActivation.TANH:
        extras.append(f"cell activation {options.activation.name}")
    if extras:
        raise UnsupportedOp(
            conversion.where(operator), f"an LSTM with {extras[0]}", "export a plain Keras LSTM"
        )
