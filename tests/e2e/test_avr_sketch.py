"""A whole AVR program as the Arduino IDE builds one: avr-libc's start-up code and linker script."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from smidgen.compiler.compile import compile_graph
from smidgen.emulate.proof import random_samples
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.targets.catalogue import board
from support.avr import needs_avr
from support.graphs import separable_convnet, small_convnet

pytestmark = [
    needs_avr,
    pytest.mark.skipif(shutil.which("simavr") is None, reason="simavr is not installed"),
]
# The sketch prints the output in hexadecimal on the UART, and sleeps without interrupts: the end.
SKETCH = """#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>
#include "net.h"
static const int8_t given[] PROGMEM = {%s};
static uint8_t arena[NET_ARENA_BYTES] __attribute__((aligned(NET_ARENA_ALIGNMENT)));
static void put(char letter) {
    while (!(UCSR0A & (1 << UDRE0))) {
    }
    UDR0 = (uint8_t)letter;
}
int main(void) {
    UCSR0B = 1 << TXEN0;
    net_init(arena);
    for (unsigned i = 0; i < sizeof given; ++i) {
        net_input(arena)[i] = (int8_t)pgm_read_byte(&given[i]);
    }
    net_run(arena);
    for (unsigned i = 0; i < NET_OUTPUT_ELEMENTS; ++i) {
        const uint8_t value = (uint8_t)net_output(arena)[i];
        put("0123456789abcdef"[value >> 4]);
        put("0123456789abcdef"[value & 15]);
    }
    put('\\n');
    cli();
    sleep_enable();
    sleep_cpu();
}
"""
UNO, MEGA = ("arduino-uno-r3", "atmega328p"), ("arduino-mega-2560", "atmega2560")


@pytest.mark.parametrize(
    ("graph", "place", "objective", "flags"),
    [
        (small_convnet(), UNO, "balanced", ["-std=gnu11", "-flto"]),
        (small_convnet(), MEGA, "speed", ["-std=gnu99"]),
        (separable_convnet(), UNO, "size", ["-std=gnu11", "-flto"]),
        (separable_convnet(), MEGA, "balanced", ["-std=gnu11"]),
    ],
)
def test_a_sketch_gives_what_the_reference_gives(
    graph: Graph, place: tuple[str, str], objective: str, flags: list[str], tmp_path: Path
) -> None:
    name, chip = place
    artifact = compile_graph(graph, board(name), name="net", objective=objective)
    artifact.write(tmp_path / "net")
    (x,) = random_samples(graph, 1)[0]
    sketch = tmp_path / "net" / "sketch.c"
    sketch.write_text(SKETCH % ", ".join(map(str, x.reshape(-1).tolist())))
    program = tmp_path / "sketch.elf"
    subprocess.run(
        ["avr-gcc", f"-mmcu={chip}", "-Os", *flags, "-Wall", "-Wextra", "-Werror",
         "-ffunction-sections", "-fdata-sections", "-Wl,--gc-sections",
         str(sketch), str(sketch.with_name("net.c")), "-o", str(program)],
        check=True,
    )  # fmt: skip
    ran = subprocess.run(
        ["simavr", "-m", chip, "-f", "16000000", str(program)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    (expected,) = Reference(graph).run([x])
    printed = re.search(rf"([0-9a-f]{{{2 * expected.size}}})\.", ran.stdout + ran.stderr)
    assert printed and printed[1] == expected.astype(np.int8).tobytes().hex()
