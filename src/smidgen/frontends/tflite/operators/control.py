"""Variables, and operators that run other subgraphs: all of it settled before the graph runs."""

from __future__ import annotations

import numpy as np

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.tflite.conversion import (
    Binding,
    Conversion,
    Variable,
    Whole,
    blank_state,
    convert_operators,
    converts,
)
from smidgen.frontends.tflite.flexbuffer import read_flexbuffer_map
from smidgen.frontends.tflite.model import TfliteModel, TfliteOperator
from smidgen.frontends.tflite.operators.shaping import output_of
from smidgen.frontends.tflite.options import (
    CallOnceOptions,
    IfOptions,
    VarHandleOptions,
    WhileOptions,
)
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.evaluate import Reference
from smidgen.ops.shape.arrange import BroadcastTo
from smidgen.ops.shape.join import Concat
from smidgen.ops.shape.slicing import Slice
from smidgen.ops.state.ops import AssignState, ReadState

MAX_ROUNDS = 1024
"""A loop that is unrolled longer than this is refused: the code would fit no microcontroller."""


@converts("VAR_HANDLE")
def var_handle(conversion: Conversion, operator: TfliteOperator) -> None:
    """A name for a variable."""
    options = conversion.options(operator, VarHandleOptions)
    output = output_of(conversion, operator)
    conversion.variables[output.index] = (options.container, options.shared_name)


@converts("READ_VARIABLE")
def read_variable(conversion: Conversion, operator: TfliteOperator) -> None:
    """A copy of the state."""
    output = output_of(conversion, operator)
    state = conversion.state(_variable(conversion, operator), output)
    conversion.emit_named(operator, ReadState(), [state])


@converts("ASSIGN_VARIABLE")
def assign_variable(conversion: Conversion, operator: TfliteOperator) -> None:
    """The state takes a value."""
    value = conversion.tensor(operator, 1)
    state = conversion.state(_variable(conversion, operator), value)
    inputs = [state, conversion.input_name(operator, 1)]
    conversion.add(operator, AssignState(), inputs, conversion.quantization(value))


def _variable(conversion: Conversion, operator: TfliteOperator) -> Variable:
    variable = conversion.variables.get(conversion.tensor(operator, 0).index)
    if variable is None:
        raise ModelFileError(conversion.where(operator), "input 0 comes from no VAR_HANDLE")
    return variable


@converts("CALL_ONCE")
def call_once(conversion: Conversion, operator: TfliteOperator) -> None:
    """The initialiser runs now; what it leaves in the variables is how the states start."""
    options = conversion.options(operator, CallOnceOptions)
    first = _values_after(conversion.whole.model, options.init_subgraph)
    late = first.keys() & conversion.whole.states.keys()
    if late:
        raise UnsupportedOp(
            conversion.where(operator),
            f"initialises {sorted(late)[0][1]!r} after it is used",
            "put the initialiser first",
        )
    conversion.whole.initial.update(first)


def _values_after(model: TfliteModel, index: int) -> dict[Variable, Array]:
    """The variables that subgraph `index` leaves behind; it depends on no input."""
    subgraph = model.subgraphs[index]
    whole = Whole(model, GraphBuilder(subgraph.name or "initialiser"))
    convert_operators(Conversion(model.name, subgraph, whole))
    reference = Reference(whole.builder.finish([]))
    reference.run([])
    return {
        variable: reference.state[name]
        for variable, name in whole.states.items()
        if name in reference.state
    }


@converts("IF")
def if_(conversion: Conversion, operator: TfliteOperator) -> None:
    """The branch that a condition known at compile time takes."""
    options = conversion.options(operator, IfOptions)
    holds = _truth(conversion, operator, conversion.binding(operator.inputs[0]))
    branch = options.then_subgraph if holds else options.else_subgraph
    given = [conversion.binding(index) for index in operator.inputs[1:]]
    for index, result in zip(operator.outputs, conversion.inside(branch, given), strict=True):
        conversion.bind(index, result)


@converts("WHILE")
def while_(conversion: Conversion, operator: TfliteOperator) -> None:
    """A loop whose end is known at compile time, unrolled."""
    options = conversion.options(operator, WhileOptions)
    carried = [conversion.binding(index) for index in operator.inputs]
    for _ in range(MAX_ROUNDS):
        (condition,) = conversion.inside(options.cond_subgraph, carried)
        if not _truth(conversion, operator, condition):
            break
        carried = conversion.inside(options.body_subgraph, carried)
    else:
        raise UnsupportedOp(
            conversion.where(operator),
            f"goes round more than {MAX_ROUNDS} times",
            "run the loop outside of the model",
        )
    for index, result in zip(operator.outputs, carried, strict=True):
        conversion.bind(index, result)


def _truth(conversion: Conversion, operator: TfliteOperator, condition: Binding) -> bool:
    value = conversion.value(condition) if isinstance(condition, str) else None
    if value is None or value.size != 1:
        raise UnsupportedOp(
            conversion.where(operator),
            "its condition is known at run time only",
            "export both branches and select, or a loop with a fixed number of rounds",
        )
    return bool(value.reshape(-1)[0])


@converts("CIRCULAR_BUFFER")
def circular_buffer(conversion: Conversion, operator: TfliteOperator) -> None:
    """Rows shifted up by one, the newest last: a custom operator of Micro.

    A longer cycle ends the run of Micro's interpreter early, which a plain function cannot.
    """
    x, output = conversion.tensor(operator, 0), output_of(conversion, operator)
    if len(x.shape) != 4 or len(output.shape) != 4 or x.shape[1] != 1 or not output.shape[1]:
        raise ModelFileError(conversion.where(operator), f"keeps {x.shape} in {output.shape}")
    if _cycle(conversion, operator, output.shape[1]) != 1:
        raise UnsupportedOp(
            conversion.where(operator),
            "runs every second time only",
            "set cycles_max to 1 and call the model as often as its later layers are to run",
        )
    newest = conversion.input_name(operator, 0)
    dtype, quantization = conversion.dtype(output), conversion.quantization(output)
    initial = blank_state(dtype, output.shape, quantization)
    name = conversion.fresh(f"circular_buffer_{operator.index}")
    state = conversion.builder.state(name, dtype, initial, quantization)
    before = conversion.add(operator, ReadState(), [state], quantization)
    _, rows, width, depth = output.shape
    tail = Slice((0, 1, 0, 0), (1, rows - 1, width, depth), (1, 1, 1, 1))
    parts = [conversion.add(operator, tail, [before], quantization)] if rows > 1 else []
    conversion.emit_named(operator, Concat(1), [*parts, newest], results=operator.outputs[:1])
    conversion.add(operator, AssignState(), [state, conversion.names[output.index]], quantization)
    for valid in operator.outputs[1:2]:
        always = conversion.add_constant(operator, DType.BOOL, np.ones((), bool))
        shape = conversion.tensors[valid].shape
        conversion.emit_named(operator, BroadcastTo(shape), [always], results=[valid])


def _cycle(conversion: Conversion, operator: TfliteOperator, rows: int) -> int:
    """How many runs a cycle takes; where the file does not say, Micro goes by the rows."""
    data = operator.custom_options
    options = read_flexbuffer_map(data, conversion.where(operator)) if data else {}
    given = options.get("cycles_max")
    if isinstance(given, int) and given > 0:
        return given
    return 1 if rows in (5, 13, 25) else 2
