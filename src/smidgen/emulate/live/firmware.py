"""The firmware of a live device: the generated model, the command loop, and what ties them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path

from smidgen.compiler.artifact import Artifact, Manifest, Port
from smidgen.compiler.codegen.arenas import MAIN, Arenas, declare_arenas
from smidgen.core.dtypes import DType
from smidgen.core.errors import UnsupportedType
from smidgen.emulate.live.tasks import Encoding, Task
from smidgen.emulate.program import FirmwareSources
from smidgen.targets.catalogue import Board

_HERE = Path(__file__).parent
_SOURCES = ("smg_device.h", "smg_idle.c", "smg_mlperf.c", "smg_score.h", "smg_text.c")
_RESTS_IN = "smg_device_idle"
ENTRY_SYMBOLS = (
    "smg_device_boot",
    "smg_device_receive",
    "smg_device_step",
    "smg_device_infer",
    "smg_device_status",
    _RESTS_IN,
    "smg_uart_rx",
    "smg_uart_tx",
    "smg_uart_tx_count",
    "smg_timer_s",
    "smg_timer_us",
)
_FEWEST_DECIMALS, _MOST_DECIMALS = 3, 15
_MOST_BITS = 32

_GLUE = """/* {name} behind the command loop. */
#include "smg_device.h"
#include "{prefix}.h"

#include <string.h>
{include}
{arenas}static uint8_t buffer[{buffer_bytes}];
{declarations}
/* data, elements, element bytes, signed, float, zero point, multiplier, shift, decimals */
static const smg_output_t outputs[] = {{
{outputs}
}};

static void init(void) {{
    {prefix}_init({given});
}}

static void load(void) {{
{load}
}}

static void run(void) {{
    {prefix}_run({given});
}}

static void score(void) {{
{score}
}}

const smg_device_t smg_device = {{
    "{device}", "{model}", outputs, {output_count}, buffer, sizeof buffer, init, load, run, score,
}};
"""


@dataclass(frozen=True, slots=True)
class _Exchange:
    """The C between what a host sends and gets, and the model's inputs and outputs."""

    buffer_bytes: int
    load: str
    outputs: tuple[str, ...]
    score: str = "    /* nothing is left to compute */"
    include: str = ""
    declarations: str = ""


def live_program(artifact: Artifact, board: Board, task: Task) -> FirmwareSources:
    """The model with the command loop, to be linked for `board`; raises UnsupportedType."""
    sources = {name: (_HERE / name).read_text(encoding="utf-8") for name in _SOURCES}
    glue = device_glue(artifact.manifest, f"smidgen emulated {board.name}", task)
    return FirmwareSources(
        {**artifact.files, **sources, "smg_device_model.c": glue},
        entry_symbols=ENTRY_SYMBOLS,
        optimise=next(flag for flag in artifact.manifest.compile_flags if flag.startswith("-O")),
        rests_in=_RESTS_IN,
        made_for=artifact.manifest.core,
    )


def device_glue(manifest: Manifest, device_name: str, task: Task) -> str:
    """The C that describes the model to the command loop; raises UnsupportedType."""
    exchange = _scored(manifest) if task.encoding is Encoding.FEATURES else _direct(manifest, task)
    return _GLUE.format(
        name=_plain(manifest.name),
        prefix=manifest.prefix,
        arenas=declare_arenas(manifest.prefix, manifest.arenas, "static uint8_t", MAIN),
        given=Arenas(manifest.arenas).arguments,
        device=_plain(device_name),
        model=_plain(task.name or manifest.name),
        buffer_bytes=exchange.buffer_bytes,
        load=exchange.load,
        outputs="\n".join(f"    {{{row}}}," for row in exchange.outputs),
        output_count=len(exchange.outputs),
        score=exchange.score,
        include=exchange.include,
        declarations=exchange.declarations,
    )


def _plain(name: str) -> str:
    """`name` without what would end a C string, a comment or an answer."""
    return re.sub(r"[^A-Za-z0-9_. -]", "_", name)


def _direct(manifest: Manifest, task: Task) -> _Exchange:
    """Inputs and outputs as they are; int8 inputs may come as pixels."""
    lines, sent = [], 0
    for port in manifest.inputs:
        lines.append(f"    memcpy(arena + {port.offset}, buffer + {sent}, {port.nbytes});")
        if task.encoding is Encoding.PIXELS and port.element is DType.INT8:
            lines.append(_FLIP.format(first=port.offset, behind=port.offset + port.nbytes))
        sent += port.nbytes
    return _Exchange(sent, "\n".join(lines), tuple(_output(port) for port in manifest.outputs))


_FLIP = """    for (uint32_t i = {first}; i < {behind}; ++i) {{
        arena[i] = (uint8_t)(arena[i] ^ 0x80U); /* 0..255 to -128..127 */
    }}"""


def _scored(manifest: Manifest) -> _Exchange:
    """Float features in, quantised on the device; out comes how far the output is from them."""
    ports = (*manifest.inputs, *manifest.outputs)
    if len(ports) != 2 or not all(map(_holds_numbers, ports)):
        raise UnsupportedType(
            f"model {manifest.name!r}",
            "an anomaly detector has one input and one output, each float32 or int8 with a scale",
            "leave out --task",
        )
    source, output = ports
    elements = math.prod(source.shape)
    if math.prod(output.shape) != elements:
        raise UnsupportedType(
            f"model {manifest.name!r}",
            "an anomaly detector's output has the size of its input",
            "leave out --task",
        )
    return _Exchange(
        buffer_bytes=4 * elements,
        load=_load_features(source, elements),
        score=f"    error = {_error_of(output, elements)};",
        outputs=("&error, 1, sizeof error, 1, 1, 0, 1, 0, 0",),
        include='#include "smg_score.h"\n',
        declarations="static float error;\n",
    )


def _holds_numbers(port: Port) -> bool:
    is_quantized = port.element is DType.INT8 and port.scale is not None
    return port.element is DType.FLOAT32 or is_quantized


def _load_features(source: Port, elements: int) -> str:
    if source.element is DType.FLOAT32:
        return f"    memcpy(arena + {source.offset}, buffer, {source.nbytes});"
    return (
        f"    smg_quantize_features(buffer, (int8_t *)(arena + {source.offset}), "
        f"{elements}, {_quantum(source)});"
    )


def _error_of(output: Port, elements: int) -> str:
    at = f"arena + {output.offset}"
    if output.element is DType.FLOAT32:
        return f"smg_float_reconstruction_error(buffer, (const float *)({at}), {elements})"
    return (
        f"smg_reconstruction_error(buffer, (const int8_t *)({at}), {elements}, {_quantum(output)})"
    )


def _quantum(port: Port) -> str:
    """Scale and zero point."""
    assert port.scale is not None
    return f"{_c_float(port.scale)}, {port.zero_point or 0}"


def _c_float(value: float) -> str:
    return f"{float(value).hex()}F"


def _output(port: Port) -> str:
    element = port.element
    if element is DType.INT4:
        raise UnsupportedType(
            f"output {port.name!r}", "a device prints no packed int4", "widen the output to int8"
        )
    is_signed = element.is_integer and element.range[0] < 0
    facts = (
        math.prod(port.shape), element.numpy.itemsize, int(is_signed),
        int(element is DType.FLOAT32), port.zero_point or 0, *fixed_point(port),
    )  # fmt: skip
    return ", ".join((f"arena + {port.offset}", *map(str, facts)))


def fixed_point(port: Port) -> tuple[int, int, int]:
    """(multiplier, shift, decimals): a quantum is multiplier / 2^shift units of 10^-decimals.

    Two digits more are printed than tell two neighbouring quanta apart. Raises UnsupportedType for
    a scale that is too large to be printed so.
    """
    if port.scale is None:
        return 1, 0, 0
    resolution = math.ceil(-math.log10(port.scale)) + 2
    decimals = min(max(resolution, _FEWEST_DECIMALS), _MOST_DECIMALS)
    units = port.scale * 10**decimals
    shift = min(max(_MOST_BITS - 1 - math.frexp(units)[1], 0), 62)
    multiplier = round(units * 2**shift)
    if multiplier >= 1 << _MOST_BITS:
        raise UnsupportedType(
            f"output {port.name!r}", f"its scale {port.scale:g} is too large to be printed"
        )
    return multiplier, shift, decimals
