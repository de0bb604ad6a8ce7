"""An ONNX model becomes a `Graph`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from smidgen.core.dtypes import DType
from smidgen.core.errors import GraphError, ModelFileError, UnsupportedError, UnsupportedOp
from smidgen.frontends.layout import Layout
from smidgen.frontends.onnx.call import Call, Result
from smidgen.frontends.onnx.folding import FOLDS, MAX_FOLDED_ELEMENTS, fold
from smidgen.frontends.onnx.gelu import with_gelu
from smidgen.frontends.onnx.integers import tidy_quantized
from smidgen.frontends.onnx.lowerings import LOWERINGS, alternatives
from smidgen.frontends.onnx.model import Branch, OnnxModel, OnnxNode, OnnxPort
from smidgen.frontends.onnx.naming import renamed
from smidgen.frontends.onnx.narrow import bits_of
from smidgen.frontends.onnx.order import checked_order, readers_of
from smidgen.frontends.onnx.ports import (
    as_unsigned,
    constants_of,
    fixed_shape,
    input_quantization,
)
from smidgen.frontends.onnx.reader import MAX_FILE_BYTES, read_onnx
from smidgen.frontends.onnx.scope import Scope, identifier
from smidgen.frontends.onnx.tensors import UINT8, dtype_of
from smidgen.frontends.onnx.values import Constant, Operand, Value
from smidgen.frontends.rewrites import REWRITES, rewritten
from smidgen.graph.builder import GraphBuilder
from smidgen.graph.check import check
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Quantization
from smidgen.ops.quantization.ops import Quantize
from smidgen.ops.shape.arrange import BroadcastTo

OLDEST_OPSET, NEWEST_OPSET = 7, 28
_SPATIAL = frozenset(
    (
        *("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "Resize"),
        *("GlobalMaxPool", "Upsample", "QLinearConv", "ConvInteger", "DepthToSpace"),
        *("SpaceToDepth", "QLinearGlobalAveragePool", "QLinearAveragePool"),
    )
)
"""Operators that work on images [N, C, ...]: with one of them, images are channels-last."""
_UNCHANGED = frozenset(("Not", "Transpose", "Shape", "Size", "Identity", "MatMul", "Conv"))
"""Operators that mean now what they meant in the first operator set."""
_MICROSOFT = "com.microsoft"
"""The domain of onnxruntime's own operators, some of which are taken."""


@dataclass(frozen=True, slots=True)
class Imported:
    """A graph, and how each of its inputs and outputs lies in memory."""

    graph: Graph
    inputs: tuple[Layout, ...]
    outputs: tuple[Layout, ...]


def load_onnx(path: Path | str) -> Graph:
    """The graph of the file at `path`; see `convert`."""
    return convert(_read(Path(path)), Path(path).stem).graph


def survey_onnx(path: Path | str) -> tuple[Graph, list[UnsupportedError]]:
    """As much of the file's graph as smidgen takes, and all that it does not take.

    Nodes that would read what a refused one computes are left out, and so are such outputs.
    """
    problems: list[UnsupportedError] = []
    return convert(_read(Path(path)), Path(path).stem, problems).graph, problems


def _read(path: Path) -> OnnxModel:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise ModelFileError(
                str(path),
                "is far beyond any microcontroller",
                f"use at most {MAX_FILE_BYTES} bytes",
            )
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        raise ModelFileError(str(path), f"cannot be read: {error}", "check the path") from error
    return read_onnx(data, path.name, path.parent)


def convert(
    model: OnnxModel, name: str, problems: list[UnsupportedError] | None = None
) -> Imported:
    """The graph of `model`, called `name`.

    Where `problems` is given, what cannot be taken is collected there and left out.

    Layout rule: in a model with convolutions, poolings or resizing, inputs and outputs [N, C, ...]
    of three axes or more are channels-last, [N, ..., C], unless less has to be moved in memory if
    they stay as the file has them. In all other models they stay. Extents that the file leaves
    open must be the batch, which becomes 1.

    Raises ModelFileError for a damaged model, UnsupportedOp and UnsupportedType, naming the node,
    for what cannot be expressed.
    """
    with np.errstate(all="ignore"):  # constants from strangers may be NaN or huge
        return _converted(model, name, problems)


def _converted(model: OnnxModel, name: str, problems: list[UnsupportedError] | None) -> Imported:
    """The graph in the layout that moves less."""
    _check_opsets(model)
    model = with_gelu(model)
    if not any(node.op_type in _SPATIAL for node in model.nodes):
        return _lowered(model, name, False, problems)[0]
    first, moved = _lowered(model, name, True, problems)
    if not moved:
        return first
    second, moved_otherwise = _lowered(model, name, False, None if problems is None else [])
    return second if moved_otherwise < moved else first


def _check_opsets(model: OnnxModel) -> None:
    lasting = all(node.op_type in _UNCHANGED for node in model.nodes)
    if not (1 if lasting else OLDEST_OPSET) <= model.opset <= NEWEST_OPSET:
        raise UnsupportedOp(
            model.file,
            f"uses operator set {model.opset}",
            f"export with one from {OLDEST_OPSET} to {NEWEST_OPSET}, or use onnx.version_converter",
        )


def _lowered(
    model: OnnxModel, name: str, channels_last: bool, problems: list[UnsupportedError] | None
) -> tuple[Imported, int]:
    """The tidied graph, and how many elements it has to move in memory."""
    scope = Scope(GraphBuilder(name), channels_last)
    nodes = checked_order(model)
    work = _Work(model, scope, nodes, readers_of(nodes, model), problems)
    layouts = tuple(work.bind_input(port) for port in model.inputs)
    for node in nodes:
        work.lower(node)
    ports = [port for port in model.outputs if port.name not in work.missing]
    outputs = [work.output(port) for port in ports]
    ends = [tensor for tensor, _ in outputs] or work.frontier()
    graph = scope.builder.finish(ends)
    has_quanta = scope.reals or any(isinstance(node.op, Quantize) for node in graph.nodes)
    tidied = (
        tidy_quantized(graph, scope.units) if has_quanta else rewritten(graph, REWRITES, "onnx")
    )
    if ports:
        tidied = renamed(tidied, [identifier(port.name) for port in ports])
    imported = Imported(
        check(tidied, after="onnx"), layouts, tuple(layout for _, layout in outputs)
    )
    return imported, scope.moved_elements


@dataclass(slots=True)
class _Work:
    """One lowering: what each name stands for so far."""

    model: OnnxModel
    scope: Scope
    nodes: Sequence[OnnxNode]
    readers: Mapping[str, int]
    problems: list[UnsupportedError] | None
    missing: set[str] = field(default_factory=set)
    """Outputs of nodes that were refused, and of those that read them."""
    known: dict[str, Operand] = field(default_factory=dict)
    folded_elements: int = 0

    def __post_init__(self) -> None:
        elements = self.model.elements
        self.known = {
            name: Constant(values, element=elements.get(name, 0))
            for name, values in self.model.constants.items()
        }

    def bind_input(self, port: OnnxPort) -> Layout:
        """Add a graph input; uint8 quanta become int8 behind it."""
        what = f"{self.model.file}, input {port.name!r}"
        dtype, shape = dtype_of(port.element, what), fixed_shape(port, what)
        layout = Layout.channels_last(shape) if self.scope.channels_last else Layout.of(shape)
        memory = memory_shape(layout, self.scope.channels_last)
        stem = self.scope.fresh(identifier(port.name))
        quant = self._quantization(port, dtype)
        if quant is not None and dtype is DType.UINT8:
            raw = self.scope.builder.input(stem, dtype, memory, as_unsigned(quant))
            (tensor,) = self.scope.add(Quantize(DType.INT8), [raw], f"{stem}_int8", quant)
        else:
            tensor = self.scope.builder.input(stem, dtype, memory, quant)
            if bits_of(port.element):
                self.scope.elements[tensor] = port.element
        self.known[port.name] = Value(tensor, layout)
        return layout

    def _quantization(self, port: OnnxPort, dtype: DType) -> Quantization | None:
        if dtype not in (DType.INT8, DType.UINT8):
            return None
        constants = constants_of(self.model, self.nodes)
        return input_quantization(port.name, self.nodes, constants, dtype is DType.UINT8)

    def lower(self, node: OnnxNode) -> None:
        """Make graph of a node, unless it is refused and problems are collected."""
        try:
            if self.missing.isdisjoint(node.reads):
                self._lower(node)
            else:
                self.missing.update(node.outputs)
        except UnsupportedError as problem:
            if self.problems is None:
                raise
            self.problems.append(problem)
            self.missing.update(node.outputs)

    def frontier(self) -> list[str]:
        """What a survey that reached no output ends with: the last tensor that was made."""
        made = [value.tensor for value in self.known.values() if isinstance(value, Value)]
        return made[-1:]

    def _lower(self, node: OnnxNode) -> None:
        """Compute a node now if its inputs are known, else make graph of it."""
        call = self._call(node)
        branch = _known_branch(call)
        if branch is not None:
            self._inline(node, branch)
            return
        constants = fold(call)
        if constants is not None:
            self._pay(call, constants)
        results = self._lowered(call) if constants is None else constants
        for name, result in zip(node.outputs, results, strict=False):
            if name and result is not None:
                self.known[name] = result

    def _inline(self, node: OnnxNode, branch: Branch) -> None:
        """Make graph of the branch that an If takes; its names are its own."""
        around = self.known
        own = {name: Constant(values) for name, values in branch.constants.items()}
        self.known = {**around, **own}
        try:
            for inner in branch.nodes:
                self._lower(inner)
            results = [self.known.get(name) for name in branch.outputs]
        finally:
            self.known = around
        for name, result in zip(node.outputs, results, strict=False):
            if name and result is not None:
                self.known[name] = result

    def _call(self, node: OnnxNode) -> Call:
        operands = tuple(self.known.get(name) if name else None for name in node.inputs)
        for name, operand in zip(node.inputs, operands, strict=True):
            if name and operand is None:
                raise UnsupportedOp(
                    f"{self.model.file}, {node}",
                    f"it reads {name!r}, an output that is not made",
                    "use the first output of the node before",
                )
        read = tuple(self.readers.get(name, 0) > 0 for name in node.outputs)
        opset = self.model.opsets.get(node.domain, 1) if node.domain else self.model.opset
        return Call(node, operands, self.scope, opset, self.model.file, read)

    def _lowered(self, call: Call) -> tuple[Result, ...]:
        node = call.node
        lowering = LOWERINGS.get(node.op_type)
        if lowering is None or node.domain not in ("", _MICROSOFT):
            if node.op_type in self.model.functions:
                call.refuse("a function of the model", "inline it by onnx.inliner")
            if node.op_type in FOLDS and not node.domain:
                call.refuse(
                    "its inputs are computed at run time", "export with fixed shapes, to fold it"
                )
            call.refuse("smidgen has no such operator", alternatives(node.op_type))
        try:
            made = lowering(call)
        except GraphError as error:
            raise UnsupportedOp(
                call.place, f"{error.thing}: {error.why}", "check its shapes"
            ) from error
        return made if isinstance(made, tuple) else (made,)

    def _pay(self, call: Call, results: tuple[Constant, ...]) -> None:
        self.folded_elements += sum(result.values.size for result in results)
        if self.folded_elements > 2 * MAX_FOLDED_ELEMENTS:
            call.refuse("its constants are beyond any microcontroller", "use a smaller model")

    def output(self, port: OnnxPort) -> tuple[str, Layout]:
        """The tensor of an output, and how it lies; elements move only if they must."""
        found = self.known.get(port.name)
        if found is None:
            raise UnsupportedOp(
                f"{self.model.file}, output {port.name!r}", "it is not made", "leave it out"
            )
        value = self.scope.as_value(found, identifier(port.name))
        rank = len(value.layout.axes)
        orders = [tuple(range(rank))]
        if self.scope.channels_last and rank > 2:
            orders.insert(0, (0, *range(2, rank), 1))
        order = next((o for o in orders if value.layout.is_prefix(o)), orders[0])
        tensor = self.scope.laid(value, order)
        return self._as_declared(port, tensor), Layout.of(value.layout.shape, order)

    def _as_declared(self, port: OnnxPort, name: str) -> str:
        """A tensor of its own, as uint8 quanta if the file says so."""
        stem, tensor = identifier(port.name), self.scope.builder.tensor(name)
        if tensor.is_constant or name in self.scope.inputs:
            quant = tensor.quantization
            (name,) = self.scope.add(BroadcastTo(tensor.shape), [name], f"{stem}_copy", quant)
        if tensor.quantization is None or port.element != UINT8 or tensor.dtype is DType.UINT8:
            return name
        unsigned = as_unsigned(tensor.quant)
        return self.scope.add(Quantize(DType.UINT8), [name], f"{stem}_uint8", unsigned)[0]


def _known_branch(call: Call) -> Branch | None:
    """The branch of an If whose condition is known at import."""
    condition = call.optional(0)
    if call.node.op_type != "If" or call.node.domain or not isinstance(condition, Constant):
        return None
    holds = condition.values.size == 1 and bool(condition.values.reshape(-1)[0])
    found = call.node.attributes.get("then_branch" if holds else "else_branch")
    return found if isinstance(found, Branch) else None


def memory_shape(layout: Layout, channels_last: bool) -> tuple[int, ...]:
    """The physical shape of an input: its axes, of extent 1 too, in memory order."""
    rank = len(layout.axes)
    moved = channels_last and rank > 2
    order = (0, *range(2, rank), 1) if moved else tuple(range(rank))
    return tuple(layout.shape[axis] for axis in order)
