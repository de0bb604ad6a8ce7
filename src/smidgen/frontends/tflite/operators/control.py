"""Variables, and operators that run other subgraphs: all of it settled before the graph runs."""

from __future__ import annotations

from smidgen.core.dtypes import Array
from smidgen.core.errors import ModelFileError, UnsupportedOp
from smidgen.frontends.tflite.conversion import (
    Conversion,
    Variable,
    Whole,
    convert_operators,
    converts,
)
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
    conversion.emit_named(operator, AssignState(), [state, conversion.name_at(value.index)])


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
    holds = _truth(conversion, operator, conversion.input_name(operator, 0))
    branch = options.then_subgraph if holds else options.else_subgraph
    names = conversion.inside(branch, operator.inputs[1:])
    conversion.names.update(zip(operator.outputs, names, strict=True))


@converts("WHILE")
def while_(conversion: Conversion, operator: TfliteOperator) -> None:
    """A loop whose end is known at compile time, unrolled."""
    options = conversion.options(operator, WhileOptions)
    for index in operator.inputs:
        conversion.name_at(index)
    kept = dict(conversion.names)
    for _ in range(MAX_ROUNDS):
        (condition,) = conversion.inside(options.cond_subgraph, operator.inputs)
        if not _truth(conversion, operator, condition):
            break
        names = conversion.inside(options.body_subgraph, operator.inputs)
        conversion.names.update(zip(operator.inputs, names, strict=True))
    else:
        raise UnsupportedOp(
            conversion.where(operator),
            f"goes round more than {MAX_ROUNDS} times",
            "run the loop outside of the model",
        )
    results = [conversion.names[index] for index in operator.inputs]
    conversion.names.update(kept)
    conversion.names.update(zip(operator.outputs, results, strict=True))


def _truth(conversion: Conversion, operator: TfliteOperator, name: str) -> bool:
    value = conversion.value(name)
    if value is None or value.size != 1:
        raise UnsupportedOp(
            conversion.where(operator),
            "its condition is known at run time only",
            "export both branches and select, or a loop with a fixed number of rounds",
        )
    return bool(value.reshape(-1)[0])
