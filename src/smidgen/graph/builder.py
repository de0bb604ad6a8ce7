"""Builds a graph node by node, inferring types as it goes."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.core.dtypes import Array, DType
from smidgen.core.errors import GraphError
from smidgen.graph.check import check
from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.graph.op import Op
from smidgen.graph.tensor import Quantization, Tensor, TensorType


class GraphBuilder:
    """Collects tensors and nodes; `finish` checks the graph and returns it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tensors: dict[str, Tensor] = {}
        self._nodes: list[Node] = []
        self._inputs: list[str] = []
        self._counts: dict[str, int] = {}

    @property
    def name(self) -> str:
        """What the graph will be called."""
        return self._name

    def tensor(self, name: str) -> Tensor:
        """The tensor called `name`."""
        return self._tensors[name]

    def input(
        self,
        name: str,
        dtype: DType,
        shape: Sequence[int],
        quantization: Quantization | None = None,
    ) -> str:
        """Declare a graph input; returns its name."""
        self._inputs.append(name)
        return self._add(Tensor(name, dtype, tuple(shape), quantization))

    def constant(
        self, name: str, dtype: DType, data: Array, quantization: Quantization | None = None
    ) -> str:
        """Add a constant of `data`'s shape; returns its name."""
        values = data.astype(dtype.numpy, copy=False)
        return self._add(Tensor(name, dtype, tuple(data.shape), quantization, values))

    def state(
        self, name: str, dtype: DType, initial: Array, quantization: Quantization | None = None
    ) -> str:
        """Add a tensor that outlives one run and starts as `initial`; returns its name."""
        values = initial.astype(dtype.numpy, copy=False)
        return self._add(Tensor(name, dtype, tuple(initial.shape), quantization, values, True))

    def add(
        self,
        op: Op,
        inputs: Sequence[str],
        quantization: Quantization | Sequence[Quantization | None] | None = None,
        outputs: Sequence[str] = (),
        node: str = "",
    ) -> tuple[str, ...]:
        """Append `op` applied to tensors named `inputs` (`ABSENT` for an optional one left out).

        Output types are inferred; `quantization` is that of the outputs (one for all, or one each).
        Returns the names of the outputs: `outputs` where given, else made from the node's name.
        """
        operands = [self._tensors[name] if name != ABSENT else None for name in inputs]
        types = op.infer(operands)
        node = node or self.fresh(op.kind)
        names = tuple(outputs) or self._output_names(node, types)
        each = self._quantization_of_each(quantization, len(types))
        for name, kind, quant in zip(names, types, each, strict=True):
            self._add(Tensor(name, kind.dtype, kind.shape, quant))
        self._nodes.append(Node(node, op, tuple(inputs), names))
        return names

    def finish(self, outputs: Sequence[str]) -> Graph:
        """The checked graph whose outputs are the tensors named `outputs`."""
        graph = Graph(
            self._name, self._tensors, tuple(self._nodes), tuple(self._inputs), tuple(outputs)
        )
        return check(graph.with_nodes(graph.nodes), after="builder")

    def fresh(self, stem: str) -> str:
        """A node name that is not taken: ``conv2d_0``, ``conv2d_1`` ..."""
        count = self._counts.get(stem, 0)
        self._counts[stem] = count + 1
        return f"{stem}_{count}"

    @staticmethod
    def _output_names(node: str, types: Sequence[TensorType]) -> tuple[str, ...]:
        if len(types) == 1:
            return (f"{node}_out",)
        return tuple(f"{node}_out{index}" for index in range(len(types)))

    @staticmethod
    def _quantization_of_each(
        given: Quantization | Sequence[Quantization | None] | None, count: int
    ) -> Sequence[Quantization | None]:
        if given is None or isinstance(given, Quantization):
            return [given] * count
        return given

    def _add(self, tensor: Tensor) -> str:
        if tensor.name in self._tensors or tensor.name == ABSENT:
            raise GraphError(f"tensor {tensor.name!r}", "the name is empty or taken twice")
        self._tensors[tensor.name] = tensor
        return tensor.name
