"""Builds for cores that no emulator at hand runs: what is known of them, and what is not.

The C is compiled as far as our compiler serves the core, and run on this computer where it can be.
Neither tells how the build behaves on the board, and every report says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from smidgen.compiler.artifact import Artifact, Bands
from smidgen.core.dtypes import Array
from smidgen.core.errors import ToolchainError
from smidgen.emulate.device import model_program
from smidgen.emulate.emulators import why_not_at_hand
from smidgen.emulate.host import HostDevice
from smidgen.emulate.linked.firmware import Sizes, read_firmware
from smidgen.emulate.proof import Proof, prove
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import Board
from smidgen.targets.gnu import why_not_compiled
from smidgen.targets.toolchain import compile_object


@dataclass(frozen=True, slots=True)
class UnverifiedBuild:
    """What a build takes, as far as compiling tells; `why` no emulated core ran it.

    `code_bytes`, `weight_bytes` and `flash_bytes` are None where no compiler here serves the core;
    `how_compiled` says what was done.
    """

    model: str
    board: str
    core: str
    clock_hz: int
    macs: int
    arena_bytes: int
    arena_lower_bound_bytes: int
    constant_bytes: int
    code_bytes: int | None
    weight_bytes: int | None
    flash_bytes: int | None
    how_compiled: str
    why: str
    bands: tuple[Bands, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: `verified` is false, and there are no figures by layer."""
        return {**asdict(self), "verified": False, "layers": []}


def examine_unverified(artifact: Artifact, board: Board) -> UnverifiedBuild:
    """Compile `artifact` for `board` as far as that goes.

    Raises DoesNotFit where it was linked and is too large, and ToolchainError for refused C.
    """
    sizes, how = compiled_sizes(artifact, board)
    manifest = artifact.manifest
    return UnverifiedBuild(
        model=manifest.name,
        board=board.name,
        core=board.core.name,
        clock_hz=board.clock_hz,
        macs=manifest.macs,
        arena_bytes=manifest.arena_bytes,
        arena_lower_bound_bytes=manifest.arena_lower_bound_bytes,
        constant_bytes=manifest.constant_bytes,
        code_bytes=sizes.code if sizes else None,
        weight_bytes=sizes.constants + sizes.data if sizes else None,
        flash_bytes=sizes.flash_bytes if sizes else None,
        how_compiled=how,
        why=why_not_at_hand(board.core),
        bands=manifest.bands,
    )


def compiled_sizes(artifact: Artifact, board: Board) -> tuple[Sizes | None, str]:
    """What compiling for `board` gives, and how far it went; None where no compiler serves it.

    Raises DoesNotFit and ToolchainError.
    """
    program, core = model_program(artifact), board.core
    missing = why_not_compiled(core)
    if missing:
        return None, f"not compiled: {missing}"
    if not core.system:
        return read_firmware(program.link(board)).sizes, "compiled and linked into its memory"
    main = f"{artifact.manifest.prefix}.c"
    raw = compile_object(artifact.files, main, core, optimise=program.optimise)
    return read_firmware(raw).sizes, f"compiled for {core.system}, not linked"


def prove_on_host(
    graph: Graph, artifact: Artifact, samples: Sequence[Sequence[Array]]
) -> Proof | None:
    """The generated C on this computer against the reference; None where it is not for it."""
    try:
        device = HostDevice(artifact)
    except ToolchainError:
        return None
    return prove(graph, device, samples)


def unverified_text(build: UnverifiedBuild, proof: Proof | None) -> str:
    """The report, one figure a line; what is not known is said to be."""
    b = build
    return "\n".join(
        [
            f"board               {b.board} ({b.core}, {b.clock_hz / 1e6:g} MHz)",
            f"NOT VERIFIED        on an emulated core: {b.why}",
            f"compiler            {b.how_compiled}",
            f"flash               {_flash(b)}",
            f"arena               {b.arena_bytes:,} B of RAM (lower bound "
            f"{b.arena_lower_bound_bytes:,})",
            *(f"in bands            {bands.text}" for bands in b.bands),
            f"MACs                {b.macs:,}",
            "instructions        not known; nor are cycles and stack",
            f"this computer       {_host_line(proof)}",
        ]
    )


def _flash(b: UnverifiedBuild) -> str:
    if b.flash_bytes is None:
        return f"not known; weights and constants {b.constant_bytes:,} B"
    return f"{b.flash_bytes:,} B  (code {b.code_bytes:,}, weights and constants {b.weight_bytes:,})"


def _host_line(proof: Proof | None) -> str:
    if proof is None:
        return "cannot run this C: its kernels are in the core's own assembly"
    verdict = "0 mismatches" if not proof.mismatches else f"{proof.mismatches:,} MISMATCHES"
    return (
        f"{proof.bytes_compared:,} output bytes of {proof.inputs} inputs, the C compiled for this "
        f"computer against reference: {verdict}"
    )
