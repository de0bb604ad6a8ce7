"""Writes the tables of docs/operators.md and docs/models.md anew.

``python tests/tables.py operators models`` (either or both). The first runs single operators of
every type; the second runs every sample model, and needs SMIDGEN_DATA.
"""

# ruff: noqa: E402 (run as a script, it first says where the tests lie)

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

_TESTS = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path[:0] = [str(_TESTS), str(_TESTS.parent / "src")]

from conformance.goldens import (
    UNUSABLE,
    Golden,
    cfu_goldens,
    mlonmcu_goldens,
    seanet_goldens,
)
from properties.generate import Network
from properties.judge import Verdict, judge
from properties.net import Net, kind_of, random_data
from properties.table import LAYERS, Layer
from properties.wholes import WHOLES
from smidgen.frontends.load import load_model
from smidgen.frontends.tflite.conversion import CONVERTERS
from smidgen.graph.evaluate import Reference
from support.outcomes import Outcome, outcome_of
from support.samples import DATA, sample_id, tflite_files

DOCS = _TESTS.parent / "docs"
BEGIN, END = "<!-- made by tests/tables.py -->", "<!-- end -->"
_CASES = 3
_TRIES = 200
_TYPES = ("int8", "int16", "float32", "int32", "int64", "bool", "uint8", "uint32", "uint64")
_LEAST_INPUTS, _MOST_INPUTS, _MANY_MACS = 5, 100, 3_000_000

# What Micro registers under names that the schema does not know.
CUSTOM = (
    "CIRCULAR_BUFFER",
    "TFLite_Detection_PostProcess",
    "SignalDelay",
    "SignalEnergy",
    "SignalFftAutoScale",
    "SignalFilterBank",
    "SignalFilterBankLog",
    "SignalFilterBankSpectralSubtraction",
    "SignalFilterBankSquareRoot",
    "SignalFramer",
    "SignalIrfft",
    "SignalOverlapAdd",
    "SignalPCAN",
    "SignalRfft",
    "SignalStacker",
    "SignalWindow",
    "TFLM_DECODE",
    "ethos-u",
)
_VARIABLES = dict.fromkeys(("ASSIGN_VARIABLE", "CALL_ONCE", "VAR_HANDLE"), "READ_VARIABLE")
_SETTLED = "of constants and what follows from them, as in shapes"
NOTES = {
    "ARG_MAX": "also int64 places, which Micro lacks",
    "ARG_MIN": "also int64 places, which Micro lacks",
    "ASSIGN_VARIABLE": "a state of the graph",
    "BATCH_MATMUL": "two inputs, either transposed",
    "BROADCAST_ARGS": "of constants",
    "CALL_ONCE": "runs at compile time: its variables are how the states start",
    "CAST": "also uint8, uint16, uint32, int64",
    "CIRCULAR_BUFFER": "with `cycles_max` 1",
    "CONV_2D": "int16 and float activations with int8 weights, int8 also with int4 ones; grouped; "
    "uint8 models become int8",
    "CUMSUM": "sums of int8 over more than 15 elements overflow in Micro",
    "DEPTHWISE_CONV_2D": "as CONV_2D",
    "DIV": "also int32; int8 quotients that Micro shifts by more than 31 bits are 0 here",
    "EQUAL": "also int16 and int64",
    "FILL": "of every type",
    "FULLY_CONNECTED": "as CONV_2D; weights may be an input",
    "GREATER": "also int16 and int64",
    "GREATER_EQUAL": "also int16 and int64",
    "IF": "with a condition that follows from constants",
    "LEAKY_RELU": "as Micro, which differs from TensorFlow Lite by one quantum in places",
    "LESS": "also int16 and int64",
    "LESS_EQUAL": "also int16 and int64",
    "NOT_EQUAL": "also int16 and int64",
    "QUANTIZE": "also uint8 and int32",
    "RANGE": _SETTLED,
    "RANK": "known at compile time",
    "REDUCE_PROD": _SETTLED,
    "RELU6": "with one scale for input and output as Micro; with two, real 6 is kept",
    "SHAPE": "known at compile time",
    "SPACE_TO_BATCH_ND": "pads with real zero, which Micro leaves open",
    "STRIDED_SLICE": "without new axes and ellipsis, as Micro",
    "TFLite_Detection_PostProcess": "quantised inputs too",
    "VAR_HANDLE": "a name of a state",
    "WHERE": _SETTLED,
    "WHILE": "with a number of rounds that follows from constants: unrolled, up to 1024",
}
NOT_TAKEN = {
    "DELEGATE": "names a part of the runtime, not an operator",
    "ethos-u": "a program for a neural accelerator, which only its compiler reads",
    "TFLM_DECODE": "compressed weights of Micro's own tool: export the uncompressed model",
}


def operator_rows() -> Iterator[tuple[str, ...]]:
    """Name, whether Micro has it, types that equal Micro, types that Micro lacks, a note."""
    judged = _judged_operators()
    registered = registered_by_micro()
    for name in sorted({*CONVERTERS, *registered}, key=str.lower):
        if name not in CONVERTERS:
            yield name, "yes", "not taken", "", NOT_TAKEN.get(name, "no converter")
            continue
        equal, alone = judged.get(_VARIABLES.get(name, name), ([], []))
        has = "yes" if name in registered else "no"
        yield name, has, ", ".join(equal), ", ".join(alone), NOTES.get(name, "")


def _judged_operators() -> dict[str, tuple[list[str], list[str]]]:
    """By operator: the types that equal Micro, and those that only C and reference share."""
    cases: dict[str, tuple[str, str]] = {}
    networks: list[Network] = []
    for name, dtype, network in _single_operators():
        cases[network.name] = (name, dtype)
        networks.append(network)
    found: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for first in range(0, len(networks), 200):
        for verdict in judge(networks[first : first + 200]):
            assert not verdict.failure, f"{verdict.network.operators}: {verdict.failure}"
            name, dtype = cases[verdict.network.name]
            for operator in {name} if name else set(verdict.network.operators):
                found[operator, dtype].append(verdict)
    result: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for (name, dtype), verdicts in sorted(found.items(), key=lambda item: _TYPES.index(item[0][1])):
        if any(v.refused for v in verdicts):
            continue
        # Where Micro leaves something open for some, the others count.
        judged = [v for v in verdicts if not v.network.beyond_micro]
        by_micro = bool(judged) and not any(v.unjudged for v in judged)
        result[name][0 if by_micro else 1].append(dtype)
    return result


def _single_operators() -> Iterator[tuple[str, str, Network]]:
    kinds = {(layer.name, dtype): layer for layer in LAYERS for dtype in layer.dtypes}
    for (name, dtype), layer in sorted(kinds.items()):
        for case in range(_CASES):
            network = _of_one_operator(layer, dtype, case)
            if network:
                yield name, dtype, replace(network, name=f"{name}/{dtype}/{case}")
    for place, whole in enumerate(WHOLES):
        for case in range(3 * _CASES):
            net = Net(np.random.default_rng((place, case)))
            whole(net)
            made = _network(net)
            dtype = net.inputs[0].dtype
            yield "", dtype, replace(made, name=f"{whole.__name__}/{place}/{case}")


def _of_one_operator(layer: Layer, dtype: str, case: int) -> Network | None:
    for attempt in range(_TRIES):
        rng = np.random.default_rng((case, attempt))
        net = Net(rng, beyond_micro=layer.beyond_micro)
        rank = net.pick([rank for rank in layer.ranks if rank <= 4] or list(layer.ranks))
        shape = tuple(net.pick([1, 2, 4, 5]) for _ in range(rank))
        x = net.input(kind_of(net, shape, dtype))
        net.values.append(x)
        if layer.grow(net, x, layer.name):
            return _network(net)
    return None


def _network(net: Net) -> Network:
    runs = [[random_data(net, value) for value in net.inputs] for _ in range(3)]
    names = tuple(operator.name for operator in net.operators)
    return Network("", net.file(net.outputs()), runs, names, net.beyond_micro)


_PROBE = """
import sys
from support.tflite_writer import OperatorSpec, TensorSpec, write_model
from tflite_micro import runtime
x = TensorSpec([1], "float32")
operator = OperatorSpec(sys.argv[1], [0], [1], custom_options=b"\\0\\0\\1")
model = write_model([x, x], [operator], [0], [1])
try:
    runtime.Interpreter.from_bytes(model, arena_size=1 << 16)
except Exception:
    pass
"""


def registered_by_micro() -> frozenset[str]:
    """The operators that the installed TensorFlow Lite Micro has, found by asking for each."""
    from support.tflite_writer import schema

    known = [name for name in vars(schema.BuiltinOperator) if name[0].isupper()]
    names = [*(set(known) - {"CUSTOM", "PLACEHOLDER_FOR_GREATER_OP_CODES"}), *CUSTOM]
    with ThreadPoolExecutor(2) as pool:
        told = pool.map(_answer, names)
        return frozenset(
            name for name, text in zip(names, told, strict=True) if "Failed to get reg" not in text
        )


def _answer(name: str) -> str:
    command = [sys.executable, "-c", _PROBE, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=_TESTS)
    return done.stderr


def model_rows() -> Iterator[tuple[str, ...]]:
    """File, MAC, inputs, against Micro, C, golden outputs."""
    goldens = golden_results()
    for path in tflite_files():
        yield _model_row(path, goldens.get(path, ""))


def _model_row(path: Path, golden: str) -> tuple[str, ...]:
    macs = load_model(path).macs
    inputs = int(np.clip(_MANY_MACS * 20 // max(macs, 1), _LEAST_INPUTS, _MOST_INPUTS))
    outcome = outcome_of(path, inputs)
    if outcome.refused:
        return sample_id(path), f"{macs}", "", f"refused: {outcome.refused}", "", ""
    return sample_id(path), f"{macs}", f"{inputs}", *_told(outcome), golden


def _told(outcome: Outcome) -> tuple[str, str]:
    return outcome.reference_against_micro or "equal", outcome.c_against_reference or "equal"


def golden_results() -> dict[Path, str]:
    """By model: on how many golden outputs it agrees, and how far it lies from the others."""
    differences: dict[Path, list[float]] = defaultdict(list)
    floats: dict[Path, bool] = {}
    for golden in _all_goldens():
        graph = load_model(golden.model)
        found = Reference(graph).run(golden.typed(graph))
        differences[golden.model].append(golden.difference(graph, found))
        floats[golden.model] = found[0].dtype.kind == "f"
    results = {path: _golden_text(values, floats[path]) for path, values in differences.items()}
    assert DATA is not None
    for folder, why in UNUSABLE.items():
        for path in (DATA / "models" / "mlonmcu_golden" / folder).glob("*.tflite"):
            results[path] = f"unusable: {why}"
    return results


def _all_goldens() -> Iterable[Golden]:
    yield from seanet_goldens()
    yield from cfu_goldens()
    yield from mlonmcu_goldens()


def _golden_text(values: Sequence[float], is_float: bool) -> str:
    if is_float:
        return f"{len(values)} within {max(values):.0e}"
    equal = sum(not value for value in values)
    rest = f"; else off by at most {max(values):.0f}, as Micro" if equal < len(values) else ""
    return f"{equal} of {len(values)} equal{rest}"


TABLES: Mapping[str, tuple[Sequence[str], str]] = {
    "operators": (
        ("operator", "in Micro", "equal to Micro", "beyond Micro", "note"),
        "operators.md",
    ),
    "models": (
        ("file", "MAC", "inputs", "reference : Micro", "C : reference", "goldens"),
        "models.md",
    ),
}


def write_table(name: str) -> None:
    """Replace the table in its document."""
    header, file = TABLES[name]
    rows = list(operator_rows() if name == "operators" else model_rows())
    lines = ["| " + " | ".join(row) + " |" for row in (header, ["---"] * len(header), *rows)]
    path = DOCS / file
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    counted = f"{len(rows)} rows.\n\n"
    text = f"{before}{BEGIN}\n{counted}" + "\n".join(lines) + f"\n{END}{after}"
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or TABLES:
        write_table(wanted)
