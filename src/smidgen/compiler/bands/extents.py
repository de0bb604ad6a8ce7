"""How many rows of each tensor are made in each band, and how many are kept for the next one.

Bands follow the rows of the last tensor. In each, every layer makes just the rows that are asked of
it and not there yet, so that none is made twice; what a later band reads again is kept. The image's
padding is where it belongs, at its first and last row, and nowhere between.

The first row of the last tensor needs many of the first. They are not made at once: in bands before
it the first layers run alone, so that no band makes more rows of a tensor than any other. The pace
may be less than a row of the last tensor each band: then it gets a row every few bands, and what
is before its strides still gets some in each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil

from smidgen.compiler.bands.rows import RowWindow, padded_by, row_window
from smidgen.graph.graph import Graph, Node
from smidgen.graph.op import Op, Signature
from smidgen.graph.tensor import Tensor

Rows = tuple[int, int]
"""From the first row to the one behind the last."""
Kind = tuple[Op, int, int]
"""What decides a call: the op with its padding, and how many rows it reads and makes."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one node does in one band: its op with the padding of these rows, and the rows."""

    op: Op
    read: Rows
    """Of every input that is no constant."""
    made: Rows

    @property
    def kind(self) -> Kind:
        """What bands that are called alike have in common."""
        return self.op, self.read[1] - self.read[0], self.made[1] - self.made[0]

    def signature(self, whole: Signature) -> Signature:
        """The operands of the band, where those of the node are `whole`."""
        inputs = (
            tensor if tensor is None or tensor.is_constant else _cut(tensor, self.read)
            for tensor in whole.inputs
        )
        return Signature(tuple(inputs), (_cut(whole.output, self.made),))


@dataclass(frozen=True)
class BandPlan:
    """The rows of every band; `made` and `kept` are by tensor, one number for each band.

    After band k the first `made[name][k]` rows of a tensor have been made. When band k begins, the
    rows before `kept[name][k]` are no longer needed.
    """

    body: Graph
    windows: Mapping[str, RowWindow]
    bands: int
    made: Mapping[str, Sequence[int]]
    kept: Mapping[str, Sequence[int]]

    def work(self, node: Node, band: int) -> Work | None:
        """What `node` does in a band; None where all that is asked for is there already."""
        (output,), window = node.outputs, self.windows[node.name]
        first, end = self.made_before(output, band), self.made[output][band]
        if first == end:
            return None
        rows = self._input_rows(node)
        reach = window.end(end)
        top, bottom = max(0, -window.first(first)), max(0, reach - rows)
        read = (max(0, window.first(first)), min(rows, reach))
        return Work(padded_by(node.op, top, bottom), read, (first, end))

    def made_before(self, name: str, band: int) -> int:
        """The rows of a tensor that are there when `band` begins."""
        return self.made[name][band - 1] if band else 0

    def held_rows(self, name: str) -> int:
        """The most rows of a tensor that are held at a time."""
        return max(a - b for a, b in zip(self.made[name], self.kept[name], strict=False))

    def carried_rows(self, name: str, band: int) -> int:
        """The rows of a tensor that are kept from `band` to the next one."""
        if band + 1 == self.bands:
            return 0
        return max(0, self.made[name][band] - self.kept[name][band + 1])

    def _input_rows(self, node: Node) -> int:
        """The rows of the inputs; all that have rows have as many."""
        return _moving(self.body, node)[0].shape[1]


def plan_bands(body: Graph, pace: Fraction) -> BandPlan | None:
    """Bands, each of `pace` rows of the one output of `body`; None where an op has no rule."""
    windows = row_windows(body)
    if windows is None:
        return None
    chain = _Chain.of(body, windows, pace.denominator)
    height, early = body.tensors[body.outputs[0]].shape[1], 0
    steady = _steady(body, windows, pace)
    while any(
        count > steady[name] for name, count in chain.made(pace.numerator * (1 - early)).items()
    ):
        early += 1
    last = height * pace.denominator
    each = [
        chain.made(min(last, pace.numerator * (band + 1 - early)))
        for band in range(early + ceil(height / pace))
    ]
    made = {name: [band[name] for band in each] for name in each[0]}
    return BandPlan(body, windows, len(each), made, _kept(body, windows, made))


def row_windows(body: Graph) -> dict[str, RowWindow] | None:
    """The window of each node, by its name; None where one has no rule for rows."""
    windows = {}
    for node in body.nodes:
        window = row_window(node.op, body.signature(node))
        if window is None or _is_all_padding(body, node, window):
            return None
        windows[node.name] = window
    return windows


def finest_pace(body: Graph, windows: Mapping[str, RowWindow]) -> Fraction:
    """The pace at which no tensor between the layers gets more than a row each band."""
    steady = _steady(body, windows, Fraction(1))
    return Fraction(1, max(steady[node.outputs[0]] for node in body.nodes))


def _steady(body: Graph, windows: Mapping[str, RowWindow], pace: Fraction) -> dict[str, int]:
    """The most rows of each tensor that a band makes once all layers run."""
    paces = {body.outputs[0]: pace}
    for node in reversed(body.nodes):
        for tensor in _moving(body, node):
            paces[tensor.name] = paces[node.outputs[0]] * windows[node.name].stride
    return {name: ceil(rows) for name, rows in paces.items()}


@dataclass(frozen=True, slots=True)
class _Chain:
    """What is asked of each tensor, from the last node to the first, in parts of a row."""

    output: str
    parts: int
    """How many parts a row has."""
    links: tuple[tuple[RowWindow, str, int, tuple[str, ...], int], ...]
    """Of each node the window; its output and its rows; its inputs and their rows."""

    @staticmethod
    def of(body: Graph, windows: Mapping[str, RowWindow], parts: int) -> _Chain:
        """The chain of `body`."""
        links = []
        for node in reversed(body.nodes):
            inputs, (output,) = _moving(body, node), node.outputs
            names, rows = tuple(tensor.name for tensor in inputs), inputs[0].shape[1]
            links.append((windows[node.name], output, body.tensors[output].shape[1], names, rows))
        return _Chain(body.outputs[0], parts, tuple(links))

    def made(self, parts: int) -> dict[str, int]:
        """How many rows each tensor needs to have for the first `parts` of the output.

        Below 0 they stand for output rows before the first: what those ask of other tensors may lie
        within them. Parts of a row are not made, but what they ask of other tensors is.
        """
        needed, made = {self.output: parts}, {}
        for window, output, most, inputs, size in self.links:
            rows = _with_padding(window, size, needed[output] // self.parts, most)
            reached = max(needed[output], rows * self.parts) if rows else needed[output]
            wanted = min(size * self.parts, window.end(reached, self.parts))
            made[output] = rows
            for name in inputs:
                needed[name] = max(needed.get(name, wanted), wanted)
        return made


def _with_padding(window: RowWindow, size: int, wanted: int, most: int) -> int:
    """`wanted` rows; more where these or those to come would be of padding alone."""
    rows = max(0, wanted)
    while 0 < rows < most and window.end(rows) < 1:
        rows += 1
    return most if window.first(rows) >= size else rows


def _is_all_padding(body: Graph, node: Node, window: RowWindow) -> bool:
    return window.end(body.tensors[node.outputs[0]].shape[1]) < 1


def _kept(
    body: Graph, windows: Mapping[str, RowWindow], made: Mapping[str, Sequence[int]]
) -> dict[str, list[int]]:
    """The first row of each tensor that is still needed when each band begins, and in the end."""
    bands = len(made[body.outputs[0]])
    kept: dict[str, list[int]] = {}
    for name, readers in body.consumers.items():
        tensor = body.tensors[name]
        if readers and not tensor.is_constant:
            there = [0, *made[name]] if name in made else [tensor.shape[1]] * (bands + 1)
            kept[name] = [
                min(rows, *(_first_needed(body, windows, made, node, band) for node in readers))
                for band, rows in enumerate(there)
            ]
    return kept


def _first_needed(
    body: Graph,
    windows: Mapping[str, RowWindow],
    made: Mapping[str, Sequence[int]],
    node: Node,
    band: int,
) -> int:
    """The first input row that `node` needs in `band` or later."""
    (output,) = node.outputs
    done = made[output][band - 1] if band else 0
    if done == body.tensors[output].shape[1]:
        return _moving(body, node)[0].shape[1]
    return max(0, windows[node.name].first(done))


def _moving(body: Graph, node: Node) -> list[Tensor]:
    """The inputs that are no constants."""
    given = (body.tensors[name] for name in node.inputs if name)
    return [tensor for tensor in given if not tensor.is_constant]


def _cut(tensor: Tensor, rows: Rows) -> Tensor:
    return replace(tensor, shape=(1, rows[1] - rows[0], *tensor.shape[2:]))
