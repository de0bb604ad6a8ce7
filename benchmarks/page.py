"""The page of the documentation about the benchmark, and its drawings, from recorded results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cases import CORES, FULL_CORE, Row
from plot import Group, bars
from report import cycles_per_mac, figure

_FIELD = Path(__file__).with_name("field.json")
_MAIN = {
    "models/cfu_golden/kws_dscnn/kws_ref_model.tflite": "keyword spotting, DS-CNN",
    "models/cfu_golden/imgc_resnet8/pretrainedResnet_quant.tflite": "images, ResNet-8",
    "models/mltk/anomaly_detection.tflite": "anomaly detection, autoencoder",
    "models/tflm/micro_speech_quantized.tflite": "micro speech",
    "models/micro_wake_word/v2_hey_jarvis.tflite": "wake word, streaming",
    "models/tinymaix/mbnet96_0.25_q.tflite": "MobileNetV1-0.25, 96x96",
}
_TEXT = """# The benchmark

*Written by `make bench-record` from `benchmarks/recorded.json`; do not edit.*

`make bench` runs every model of the sample data on every core and writes a table and
`out/bench.json`; `make bench-diff` prints what moved since the recorded results; `make
bench-record` makes the new results the recorded ones and writes this page. `python
benchmarks/bench.py --only WORD --core CORE` measures a part. CI holds sizes and instruction counts
of small models on every core (`tests/size`).

## Method and limits

- Two inferences, of the lowest and of the highest input; the mean is given. Each was compared with
  the reference, byte by byte, before it was counted.
- Instructions are counted, exactly: by a counter of basic blocks in Unicorn, by the FPGA counters
  under `-icount` in QEMU (Cortex-M55). The same build gives the same count, always.
- **Instruction counts are not latency.** Cycles are modelled from the counted blocks
  ([measuring](measuring.md) gives the error of each core's model); flash wait states, caches and
  bus contention are left out here: the boards of the benchmark have none. A report for a real board
  has the waits of its flash in it, a fifth to a third more on a NUCLEO-L4R5ZI.
- Memory: *arena* is what the model needs, *RAM* all static RAM, *stack* what was measured. *Code*
  is all flash but constants, the runtime's memory functions included; *weights* are all constants.
- MACs are those of the model as it came, so that removed channels count as gain.
- The compiler is the pinned zig (Clang). `balanced` unless said otherwise.
"""


def write(rows: Sequence[Row], docs: Path) -> None:
    """``benchmark.md`` and its drawings."""
    known = {(str(r["model"]), str(r["core"]), str(r["objective"])): r for r in rows}
    (docs / "benchmark-field.svg").write_text(_field_drawing(known))
    (docs / "benchmark-cores.svg").write_text(_cores_drawing(known))
    parts = [_TEXT, _field(known), _cores(known), _objectives(known), _everything(known)]
    (docs / "benchmark.md").write_text("\n".join(parts))


_Known = Mapping[tuple[str, str, str], Row]


def _number(row: Row | None, name: str) -> int | None:
    value = row.get(name) if row else None
    return value if isinstance(value, int) else None


def _ratio(ours: int | None, theirs: object) -> str:
    if ours is None or not isinstance(theirs, int):
        return "-" if ours is None else f"{ours:,}"
    return f"{ours:,} ({ours / theirs:.2f}x)"


def _lines(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, rule, *rows)) + "\n"


def _compared() -> tuple[str, list[dict[str, object]]]:
    content = json.loads(_FIELD.read_text())
    return content["source"], content["models"]


def _field(known: _Known) -> str:
    source, models = _compared()
    rows = []
    for each in models:
        model, same = str(each["ours"]), each["same"]
        balanced = known.get((model, FULL_CORE, "balanced"))
        cells = [f"{each['name']}{'' if same else ' *'}"]
        for core, name in ((FULL_CORE, "m4f"), ("cortex-m3", "m3"), ("cortex-m55", "m55")):
            row = known.get((model, core, "balanced"))
            cells.append(_ratio(_number(row, "instructions"), each[name]))
        cells.append(_ratio(_number(balanced, "arena_bytes"), each["arena"]))
        cells.append(_ratio(_number(balanced, "code_bytes"), each["code"]))
        rows.append(cells)
    header = ("model", "M4F instr.", "M3 instr.", "M55 instr.", "arena B", "code B")
    return (
        "\n## Beside TensorFlow Lite Micro with CMSIS-NN\n\n"
        f"In brackets: of what Micro takes. Its figures: {source}. Code is all flash but the model "
        "file there, and but constants here.\n\n"
        "![instructions for each MAC](benchmark-field.svg)\n\n"
        f"{_lines(header, rows)}\n"
        "\\* Not the same file: the sample has the same layers, and float inputs and outputs, "
        "whose conversion is counted.\n"
    )


def _field_drawing(known: _Known) -> str:
    groups = []
    for each in _compared()[1]:
        balanced = known.get((str(each["ours"]), FULL_CORE, "balanced"))
        speed = known.get((str(each["ours"]), FULL_CORE, "speed"))
        macs = _number(balanced, "macs")
        counts = (each["m4f"], _number(balanced, "instructions"), _number(speed, "instructions"))
        values = tuple(
            count / macs if isinstance(count, int) and macs else None for count in counts
        )
        groups.append(Group(str(each["name"]), values))
    title = "Instructions for each MAC on a Cortex-M4F (less is better)"
    return bars(title, ("Micro with CMSIS-NN", "smidgen, balanced", "smidgen, speed"), groups)


def _apiece(count: object, macs: int | None) -> float | None:
    return count / macs if isinstance(count, int) and macs else None


def _cores_drawing(known: _Known) -> str:
    names = list(_MAIN)[:2]
    groups = []
    for core in CORES:
        values = []
        for model in names:
            row = known.get((model, core, "balanced"))
            values.append(_apiece(_number(row, "instructions"), _number(row, "macs")))
        groups.append(Group(core, tuple(values)))
    return bars("Instructions for each MAC by core", [_MAIN[name] for name in names], groups)


_FIGURES = (
    ("instructions", "instructions"), ("modelled_cycles", "modelled cycles"), ("", "cycles/MAC"),
    ("arena_bytes", "arena B"), ("static_ram_bytes", "RAM B"), ("stack_bytes", "stack B"),
    ("code_bytes", "code B"), ("weight_bytes", "weights B"),
)  # fmt: skip


def _cells(row: Row) -> list[str]:
    if "error" in row:
        return ["refused", *("" for _ in _FIGURES[1:])]
    return [figure(row, name) if name else cycles_per_mac(row) for name, _ in _FIGURES]


def _tabled(head: str, rows: Iterator[tuple[str, Row]]) -> str:
    header = (head, *(label for _, label in _FIGURES))
    return _lines(header, [[name, *_cells(row)] for name, row in rows])


def _cores(known: _Known) -> str:
    parts = ["\n## Each core\n\n![instructions for each MAC by core](benchmark-cores.svg)\n"]
    for model, name in _MAIN.items():
        found = (
            (core, known[model, core, "balanced"])
            for core in CORES
            if (model, core, "balanced") in known
        )
        parts.append(f"\n### {name}\n\n`{model}`\n\n{_tabled('core', found)}")
    return "".join(parts)


def _objectives(known: _Known) -> str:
    found = (
        (f"{_MAIN[model]}, {objective}", row)
        for (model, core, objective), row in sorted(known.items())
        if core == FULL_CORE and model in _MAIN
    )
    return f"\n## Each objective, on a {FULL_CORE}\n\n{_tabled('model', found)}"


def _everything(known: _Known) -> str:
    found = (
        (f"`{model}`", row)
        for (model, core, objective), row in sorted(known.items())
        if core == FULL_CORE and objective == "balanced"
    )
    note = "The other cores are in `benchmarks/recorded.json`, one line a case."
    return f"\n## The models of the record, on a {FULL_CORE}\n\n{note}\n\n{_tabled('model', found)}"
