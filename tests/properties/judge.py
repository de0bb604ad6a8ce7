"""Compares networks: NumPy reference, TensorFlow Lite Micro, and generated C."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from properties.generate import Network
from properties.worker import CJob, MicroJob, PortOf, Result
from smidgen.compiler.artifact import Artifact, Port
from smidgen.compiler.compile import compile_graph
from smidgen.core.errors import SmidgenError
from smidgen.emulate.proof import FLOAT_TOLERANCE, float_errors
from smidgen.emulate.unicorn.machine import Machine
from smidgen.frontends.tflite.convert import convert
from smidgen.frontends.tflite.reader import parse_model
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.targets.toolchain import compile_firmware, compile_host_library
from support.outcomes import PORTABLE, ample_board

_TESTS = Path(__file__).parents[1]
_SOURCES = _TESTS.parent / "src"
_ENTRY = "smg_arena"


@dataclass(frozen=True)
class Verdict:
    """What became of a network; "" where nothing is to be said.

    Attributes:
        network: It.
        refused: Why smidgen does not take it.
        unjudged: Why Micro gave no answer.
        failure: What is wrong: the only field that fails a test.
    """

    network: Network
    refused: str = ""
    unjudged: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Case:
    """A network on its way: its graph, and what its outputs should be."""

    network: Network
    graph: Graph
    expected: Sequence[Sequence[np.ndarray]]


def judge(
    networks: Sequence[Network],
    objective: str = "balanced",
    boards: Sequence[str] = (),
    *,
    micro: bool = True,
    host: bool = True,
    sanitize: bool = True,
) -> list[Verdict]:
    """A verdict on each network.

    Args:
        networks: To be judged.
        objective: What generated code is optimised for.
        boards: Where it runs, emulated.
        micro: Whether the reference is compared with TensorFlow Lite Micro.
        host: Whether generated code runs on this computer,
        sanitize: there with a check for undefined behaviour.
    """
    verdicts = {network.name: Verdict(network) for network in networks}
    cases = []
    for network in networks:
        made = _opened(network)
        if isinstance(made, Case):
            cases.append(made)
        else:
            verdicts[network.name] = made
    if micro:
        _judge_by_micro(cases, verdicts)
    if host:
        _judge_on_host(cases, verdicts, objective, sanitize)
    for board in boards:
        _judge_on_board(cases, verdicts, board, objective)
    return list(verdicts.values())


def _opened(network: Network) -> Case | Verdict:
    try:
        graph = convert(parse_model(network.data, "drawn"), "drawn")
        reference = Reference(graph)
        return Case(network, graph, [reference.run(run) for run in network.runs])
    except SmidgenError as problem:
        return Verdict(network, refused=str(problem))
    except Exception as problem:
        return Verdict(network, failure=f"front end or reference: {_told(problem)}")


def _told(problem: Exception) -> str:
    at = problem.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    place = f" ({Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno})" if at else ""
    return f"{type(problem).__name__}: {problem}{place}"


def _judge_by_micro(cases: Sequence[Case], verdicts: dict[str, Verdict]) -> None:
    judged = [case for case in cases if not case.network.beyond_micro]
    jobs = [MicroJob(case.network.data, case.network.runs) for case in judged]
    for case, result in zip(judged, _in_processes("micro", jobs), strict=True):
        if isinstance(result, str):
            name = case.network.name
            verdicts[name] = replace(verdicts[name], unjudged=result)
        else:
            _note(verdicts, case, "Micro", result)


def _note(verdicts: dict[str, Verdict], case: Case, who: str, result: Result) -> None:
    """Add a failure to the case's verdict unless there is one already."""
    name = case.network.name
    wrong = result if isinstance(result, str) else difference(case.expected, result)
    if wrong and not verdicts[name].failure:
        verdicts[name] = replace(verdicts[name], failure=f"{who}: {wrong}")


def difference(
    expected: Sequence[Sequence[np.ndarray]], found: Sequence[Sequence[np.ndarray]]
) -> str:
    """How the outputs of some runs differ; "" if they agree (floats within the tolerance)."""
    for run, (wanted, given) in enumerate(zip(expected, found, strict=True)):
        for place, (right, mine) in enumerate(zip(wanted, given, strict=True)):
            where = f"run {run}, output {place}"
            if mine.dtype != right.dtype or mine.size != right.size:
                return f"{where}: {mine.dtype}{mine.shape}, reference {right.dtype}{right.shape}"
            told = _elements_apart(mine.reshape(right.shape), right)
            if told:
                return f"{where}: {told}"
    return ""


def _elements_apart(mine: np.ndarray, right: np.ndarray) -> str:
    if right.dtype.kind == "f":
        wrong = float_errors(right, mine) > FLOAT_TOLERANCE
    else:
        wrong = np.asarray(right != mine)
    if not wrong.any():
        return ""
    return (
        f"{int(wrong.sum())} of {right.size} differ, e.g. "
        f"{mine[wrong][:4].tolist()}, reference {right[wrong][:4].tolist()}"
    )


def _in_processes(kind: str, jobs: Sequence[MicroJob | CJob]) -> list[Result]:
    """The result of each job; a job that takes its process down gets a text."""
    results: list[Result] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work.pickle").write_bytes(pickle.dumps(list(jobs)))
        while len(results) < len(jobs):
            done = _worker(kind, folder, len(results))
            for number in range(len(results), len(jobs)):
                path = folder / f"{number}.pickle"
                if not path.exists():
                    results.append(_last_words(done))
                    break
                results.append(pickle.loads(path.read_bytes()))
    return results


def _worker(kind: str, folder: Path, first: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(_TESTS / "properties" / "worker.py"), kind, str(folder)]
    paths = os.pathsep.join(
        [str(_TESTS), str(_SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
    return subprocess.run(
        [*command, str(first)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "PYTHONPATH": paths},
    )


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    telling = [line for line in lines if "error" in line or "panic" in line] or lines[-1:]
    return f"stopped with {done.returncode}: {' '.join(telling)[-400:]}"


def _compiled(
    cases: Sequence[Case], verdicts: dict[str, Verdict], board: str, objective: str
) -> tuple[list[Case], list[Artifact], dict[str, str]]:
    """The cases that compile, their artifacts, and one C file with them all."""
    kept, artifacts, sources = [], [], {}
    for case in cases:
        try:
            made = compile_graph(case.graph, ample_board(board), f"m{len(kept)}", objective)
        except SmidgenError as problem:
            name = case.network.name
            verdicts[name] = replace(verdicts[name], refused=str(problem))
            continue
        except Exception as problem:
            _note(verdicts, case, f"compiler for {board}", _told(problem))
            continue
        kept.append(case)
        artifacts.append(made)
        sources.update({n.replace(".c", ".inc"): text for n, text in made.files.items()})
    sources["all.c"] = "".join(f'#include "m{index}.inc"\n' for index in range(len(kept)))
    return kept, artifacts, sources


def _judge_on_host(
    cases: Sequence[Case], verdicts: dict[str, Verdict], objective: str, sanitize: bool
) -> None:
    kept, artifacts, sources = _compiled(cases, verdicts, PORTABLE, objective)
    library = str(compile_host_library(sources, sanitize=sanitize))
    jobs = [
        CJob(
            library,
            artifact.manifest.prefix,
            artifact.manifest.arena_bytes,
            [_port(port) for port in artifact.manifest.inputs],
            [_port(port) for port in artifact.manifest.outputs],
            case.network.runs,
        )
        for case, artifact in zip(kept, artifacts, strict=True)
    ]
    for case, result in zip(kept, _in_processes("c", jobs), strict=True):
        _note(verdicts, case, "C", result)


def _port(port: Port) -> PortOf:
    return PortOf(port.offset, port.nbytes, port.element.numpy.str, port.shape)


def _judge_on_board(
    cases: Sequence[Case], verdicts: dict[str, Verdict], board: str, objective: str
) -> None:
    kept, artifacts, sources = _compiled(cases, verdicts, board, objective)
    if not kept:
        return
    size = max(artifact.manifest.arena_bytes for artifact in artifacts) + 16
    sources["arena.c"] = (
        f"#include <stdint.h>\nuint8_t {_ENTRY}[{size}] __attribute__((aligned(16)));\n"
    )
    verbs = [f"m{index}_{verb}" for index in range(len(kept)) for verb in ("init", "run")]
    target = ample_board(board)
    machine = Machine(compile_firmware(sources, target, entry_symbols=[*verbs, _ENTRY]), target)
    address, _ = machine.symbol(_ENTRY)
    for index, (case, artifact) in enumerate(zip(kept, artifacts, strict=True)):
        try:
            result: Result = _run_on(machine, address, f"m{index}", artifact, case)
        except SmidgenError as problem:
            result = str(problem)
        _note(verdicts, case, board, result)


def _run_on(
    machine: Machine, arena: int, prefix: str, artifact: Artifact, case: Case
) -> list[list[np.ndarray]]:
    machine.write(arena, b"\xa5" * artifact.manifest.arena_bytes)
    machine.call(f"{prefix}_init", arena)
    results = []
    for run in case.network.runs:
        for port, values in zip(artifact.manifest.inputs, run, strict=True):
            machine.write(arena + port.offset, np.ascontiguousarray(values).tobytes())
        machine.call(f"{prefix}_run", arena)
        outputs = artifact.manifest.outputs
        raw = [machine.read(arena + port.offset, port.nbytes) for port in outputs]
        results.append(
            [
                np.frombuffer(text, port.element.numpy).reshape(port.shape)
                for port, text in zip(outputs, raw, strict=True)
            ]
        )
    return results
