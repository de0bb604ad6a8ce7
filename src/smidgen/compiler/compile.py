"""compile(graph, board) -> Artifact: the whole way from a graph to C."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from smidgen.compiler.artifact import Artifact, Bands, Manifest, Port, Resident
from smidgen.compiler.bands.call import BandedCall
from smidgen.compiler.budget import within_budget
from smidgen.compiler.choice import Wanted
from smidgen.compiler.codegen.header import public_names, write_header
from smidgen.compiler.codegen.literals import LINE_WIDTH, comment_safe, identifier
from smidgen.compiler.codegen.names import Names
from smidgen.compiler.codegen.source import SourceWriter
from smidgen.compiler.costs import CostTable, shipped
from smidgen.compiler.objective import OBJECTIVES, objective_called
from smidgen.compiler.pipeline import optimise
from smidgen.compiler.program import Program, build_program
from smidgen.compiler.rooms import rooms_of
from smidgen.core.errors import DoesNotFit, UnsupportedError
from smidgen.graph.graph import Graph
from smidgen.graph.tensor import Tensor
from smidgen.ops.registry import header_closure
from smidgen.ops.spaces import language_flag, reach_bytes, spaces_of
from smidgen.targets.catalogue import Board


def compile_graph(
    graph: Graph,
    board: Board,
    name: str = "",
    objective: str = "balanced",
    ram_budget_bytes: int | None = None,
    *,
    costs: CostTable | None = None,
    flash_bytes: float | None = None,
) -> Artifact:
    """C for `graph` on `board`.

    `name` is the prefix of the C identifiers (default: the graph's name); `objective` is "size",
    "balanced" or "speed". Where the arena would have more than `ram_budget_bytes`, layers run in
    bands of rows so that it has not. `costs` are what layers were measured to take (default: what
    is shipped); with `flash_bytes` the layers are as fast as they can be in so much flash. The same
    input gives the same bytes. Raises UnsupportedError for what no kernel serves, UnknownName for
    another objective, and DoesNotFit where a budget cannot be kept.
    """
    _check_ports(graph)
    wanted = Wanted(objective_called(objective), shipped() if costs is None else costs, flash_bytes)
    rooms = rooms_of(board)
    program = build_program(optimise(graph), board.core, wanted, rooms=rooms)
    if ram_budget_bytes is not None:
        program = within_budget(program, board.core, wanted, ram_budget_bytes, rooms)
    return write_artifact(graph, program, board, name, objective)


def write_artifact(
    graph: Graph, program: Program, board: Board, name: str = "", objective: str = "balanced"
) -> Artifact:
    """The C of `program`, to which `graph` was compiled."""
    prefix = identifier(name or graph.name)
    taken = public_names(prefix, len(program.graph.inputs), len(program.graph.outputs))
    writer = SourceWriter(program, Names(prefix, taken), spaces=spaces_of(board))
    body = writer.body()
    _check_reach(board, writer.tables.rom_bytes)
    title = _title(prefix, program, board, writer)
    inputs = _ports(program, program.graph.inputs)
    outputs = _ports(program, program.graph.outputs)
    alignment = board.core.arena_alignment_bytes
    files = {
        f"{prefix}.h": write_header(
            prefix, title, program.arena_bytes, alignment, inputs, outputs, program.arenas
        ),
        f"{prefix}.c": _source(prefix, title, writer, body),
        f"{prefix}_weights.h": _weights(prefix, writer),
        **header_closure(("smg.h", *writer.headers), writer.spaces),
    }
    manifest = Manifest(
        name=graph.name,
        prefix=prefix,
        board=board.name,
        core=board.core.name,
        objective=objective,
        arena_bytes=program.arena_bytes,
        arena_lower_bound_bytes=program.lower_bound_bytes,
        constant_bytes=writer.tables.nbytes,
        state_bytes=sum(tensor.nbytes for tensor in program.graph.states),
        macs=graph.macs,
        inputs=inputs,
        outputs=outputs,
        layers=tuple(writer.layers),
        steps=tuple(step.node.name for step in program.steps),
        memory=tuple(
            Resident(buffer.name, offset, buffer.nbytes, buffer.first, buffer.last)
            for buffer, offset in program.buffers
        ),
        compile_flags=(*common_flags(board), OBJECTIVES[objective].compiler_flag),
        bands=_bands(program),
        arenas=program.arenas,
    )
    return Artifact(manifest, files)


def _check_reach(board: Board, rom_bytes: int) -> None:
    """Refuse more tables than the addresses of the C reach."""
    reach = reach_bytes(board)
    if reach is not None and rom_bytes > reach:
        raise DoesNotFit(
            f"build for {board.name}",
            f"addresses of 16 bits reach {reach:,} bytes of constants in flash, not {rom_bytes:,}",
            "choose a smaller model or a board with another core",
        )


def common_flags(board: Board) -> tuple[str, ...]:
    """What the C for `board` is to be compiled with, whatever the objective."""
    return (language_flag(board), "-ffp-contract=off")


def _bands(program: Program) -> tuple[Bands, ...]:
    calls = (step.call for step in program.steps if isinstance(step.call, BandedCall))
    return tuple(
        Bands(
            tuple(node.name for node in call.loop.body.nodes),
            call.loop.bands,
            call.loop.pace_text,
            call.scratch_bytes,
            call.loop.moved_bytes,
        )
        for call in calls
    )


def _check_ports(graph: Graph) -> None:
    """Refuse inputs and outputs that a caller could not fill or read."""
    for name in (*graph.inputs, *graph.outputs):
        tensor = graph.tensors[name]
        if not tensor.elements:
            raise UnsupportedError(
                f"tensor {name!r}", f"is empty: {tensor.shape}", "export it with a fixed shape"
            )
        if tensor.quantization is not None and len(tensor.quantization.scales) > 1:
            raise UnsupportedError(
                f"tensor {name!r}",
                "is an input or output with a scale for each channel",
                "quantise inputs and outputs per tensor",
            )


def _ports(program: Program, names: Iterable[str]) -> tuple[Port, ...]:
    return tuple(_port(program.graph.tensors[name], program.offsets[name]) for name in names)


def _port(tensor: Tensor, offset: int) -> Port:
    quant = tensor.quantization if tensor.dtype.is_integer else None
    return Port(
        tensor.name,
        tensor.dtype.label,
        tensor.shape,
        offset,
        tensor.nbytes,
        quant.scale if quant else None,
        quant.zero_point if quant else None,
    )


def _title(prefix: str, program: Program, board: Board, writer: SourceWriter) -> str:
    return (
        f"/* {prefix}: made by smidgen for {board.name} ({board.core.name}).\n"
        f" *\n"
        f" * {len(writer.layers)} layers, {program.graph.macs} MAC. "
        f"Arena {program.arena_bytes} B, constants {writer.tables.nbytes} B.\n"
        f"{_band_lines(program)} */"
    )


def _band_lines(program: Program) -> str:
    """What runs in bands, for the comment at the top; layer names come from model files."""
    texts = (f"In bands: {bands.text}." for bands in _bands(program))
    return "".join(
        f" * {line}\n" for text in texts for line in wrap(comment_safe(text), LINE_WIDTH - 3)
    )


def _source(prefix: str, title: str, writer: SourceWriter, body: str) -> str:
    includes = "\n".join(f'#include "{name}"' for name in writer.headers)
    return (
        f"{title}\n{writer.spaces.prologue}"
        f'#include "{prefix}.h"\n\n#include "smg.h"\n{includes}\n\n'
        f'#include "{prefix}_weights.h"\n\n{writer.shared.text()}{body}'
    )


def _weights(prefix: str, writer: SourceWriter) -> str:
    guard = f"{prefix.upper()}_WEIGHTS_H"
    return (
        f"/* The constant tables of {prefix}; included by {prefix}.c only. */\n"
        f'#ifndef {guard}\n#define {guard}\n\n#include "smg.h"\n\n{writer.tables.text()}\n#endif\n'
    )
