"""A drawing of a graph as SVG: one box an op, in rows by depth, with the tensors on the edges."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape

from smidgen.graph.graph import ABSENT, Graph, Node
from smidgen.project.inspection import layer_parameters, moving, shape_text

_BOX_WIDTH, _BOX_HEIGHT = 260, 46
_GAP_X, _GAP_Y = 30, 44
_MARGIN = 24
# Fill by what the op does most: compute, combine, move, or something else.
_FILLS = {
    "conv": "#dbe9f8",
    "dense": "#dbe9f8",
    "add": "#e4f3e2",
    "mul": "#e4f3e2",
    "pool": "#fdf0d5",
}


@dataclass(frozen=True, slots=True)
class _Box:
    """The place of one node, or of an input or output of the graph."""

    title: str
    detail: str
    x: int
    y: int
    fill: str

    @property
    def centre(self) -> int:
        return self.x + _BOX_WIDTH // 2


def draw_graph(graph: Graph) -> str:
    """The SVG text; the same graph gives the same bytes."""
    rows = _rows(graph)
    widest = max((len(row) for row in rows.values()), default=1)
    width = 2 * _MARGIN + widest * _BOX_WIDTH + (widest - 1) * _GAP_X
    height = 2 * _MARGIN + len(rows) * _BOX_HEIGHT + max(len(rows) - 1, 0) * _GAP_Y
    boxes = _boxes(graph, rows, width)
    parts = [*_edges(graph, boxes), *(_box(box) for box in boxes.values())]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="ui-sans-serif, system-ui, sans-serif" font-size="13">\n'
        f"<title>{escape(graph.name)}</title>\n"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _rows(graph: Graph) -> dict[int, list[str]]:
    """Names of inputs and nodes by depth: a node lies below everything that it reads."""
    depth = dict.fromkeys(graph.inputs, 0)
    rows: dict[int, list[str]] = defaultdict(list)
    rows[0] = list(graph.inputs)
    for node in graph.nodes:
        level = 1 + max((depth.get(name, 0) for name in node.inputs if name != ABSENT), default=0)
        depth.update(dict.fromkeys(node.outputs, level))
        rows[level].append(node.name)
    return dict(sorted(rows.items()))


def _boxes(graph: Graph, rows: dict[int, list[str]], width: int) -> dict[str, _Box]:
    nodes = {node.name: node for node in graph.nodes}
    boxes: dict[str, _Box] = {}
    for row, names in enumerate(rows.values()):
        left = (width - len(names) * _BOX_WIDTH - (len(names) - 1) * _GAP_X) // 2
        y = _MARGIN + row * (_BOX_HEIGHT + _GAP_Y)
        for column, name in enumerate(names):
            x = left + column * (_BOX_WIDTH + _GAP_X)
            boxes[name] = (
                _node_box(graph, nodes[name], x, y)
                if name in nodes and row
                else _Box(name, shape_text(graph.tensors[name]), x, y, "#eeeeee")
            )
    return boxes


def _node_box(graph: Graph, node: Node, x: int, y: int) -> _Box:
    macs = node.op.macs(graph.signature(node))
    count = layer_parameters(graph, node)
    facts = [f"{macs:,} MAC" if macs else "", f"{count:,} parameters" if count else ""]
    detail = ", ".join(fact for fact in facts if fact)
    fill = next((fill for word, fill in _FILLS.items() if word in node.op.kind), "#f5f5f5")
    title = node.name if node.name.startswith(node.op.kind) else f"{node.name} ({node.op.kind})"
    return _Box(title, detail, x, y, fill)


def _edges(graph: Graph, boxes: dict[str, _Box]) -> list[str]:
    sources = {name: boxes[name] for name in graph.inputs}
    sources.update({output: boxes[node.name] for node in graph.nodes for output in node.outputs})
    return [
        _edge(sources[tensor.name], boxes[node.name], shape_text(tensor))
        for node in graph.nodes
        for tensor in moving(graph, tuple(dict.fromkeys(node.inputs)))
        if tensor.name in sources
    ]


def _edge(above: _Box, below: _Box, label: str) -> str:
    start, end = above.y + _BOX_HEIGHT, below.y
    return (
        f'<path d="M{above.centre} {start}{_curve(above, below, start, end)}'
        f'{below.centre} {end}" fill="none" stroke="#7a8794" stroke-width="1.5"/>\n'
        f'<text x="{below.centre + 8}" y="{end - 10}" fill="#5b6670" font-size="11">{label}</text>'
    )


def _curve(above: _Box, below: _Box, start: int, end: int) -> str:
    """The control points: straight to the next row, around the boxes between to a later one."""
    if end - start <= _GAP_Y:
        middle = (start + end) // 2
        return f"C{above.centre} {middle} {below.centre} {middle} "
    aside = max(above.centre, below.centre) + int(0.72 * _BOX_WIDTH)
    return f"C{aside} {start + _GAP_Y} {aside} {end - _GAP_Y} "


def _box(box: _Box) -> str:
    return (
        f'<rect x="{box.x}" y="{box.y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6" '
        f'fill="{box.fill}" stroke="#4a5a6a"/>\n'
        f'<text x="{box.centre}" y="{box.y + 19}" text-anchor="middle" fill="#1b2a3a" '
        f'font-weight="600">{escape(_shortened(box.title))}</text>\n'
        f'<text x="{box.centre}" y="{box.y + 36}" text-anchor="middle" fill="#46535f" '
        f'font-size="11">{escape(box.detail)}</text>'
    )


def _shortened(text: str) -> str:
    printable = "".join(c if c.isprintable() else "?" for c in text)
    return printable if len(printable) <= 34 else f"{printable[:20]}...{printable[-11:]}"
