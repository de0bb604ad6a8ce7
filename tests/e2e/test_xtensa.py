"""The C for ESP32 boards on an Xtensa: an LX106, for which Debian has a compiler and QEMU a model.

It is no LX6 or LX7, which no emulator at hand has: that the C is right on an Xtensa is proved here,
what it takes on an ESP32 is not.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import smidgen
from smidgen.compiler.artifact import Artifact
from smidgen.core.dtypes import Array
from smidgen.emulate.proof import random_samples
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from support.graphs import small_convnet
from support.samples import DATA, needs_data

COMPILER, QEMU = "xtensa-lx106-elf-gcc", "qemu-system-xtensa"
RUNTIME = Path(smidgen.__file__).parent / "targets" / "runtime"
FLAGS = (
    "-std=c99", "-O2", "-ffreestanding", "-mlongcalls", "-Wall", "-Wextra", "-Wconversion",
    "-Werror", "-I", str(RUNTIME / "include"),
)  # fmt: skip
# Without it, gcc would turn the loop in memcpy into a call of memcpy.
RUNTIME_FLAGS = ("-fno-tree-loop-distribute-patterns", "-w")
# The memory of QEMU's machine "sim": it starts at the first address of its system ROM.
SCRIPT = """SECTIONS {
  .text 0x50000000 : { KEEP(*(.start)) *(.literal .literal.* .text .text.*) }
  .rodata : { *(.rodata .rodata.*) }
  .data 0x60010000 : { *(.data .data.*) }
  .bss : { *(.bss .bss.* COMMON) }
}
"""
MAIN = """#include "{prefix}.h"
#include <string.h>

static uint8_t arena[{upper}_ARENA_BYTES] __attribute__((aligned({upper}_ARENA_ALIGNMENT)));
static const uint8_t inputs[] = {{{inputs}}};

__asm__(".section .start, \\"ax\\"\\n.global reset\\nreset: j start\\n"
        ".text\\n.align 4\\n.literal_position\\nstart:\\n movi a1, 0x60010000\\n call0 run_all\\n");

static int simcall(int number, int file, const void *data, int bytes) {{
    register int a2 __asm__("a2") = number;
    register int a3 __asm__("a3") = file;
    register const void *a4 __asm__("a4") = data;
    register int a5 __asm__("a5") = bytes;
    __asm__ volatile("simcall" : "+r"(a2), "+r"(a3) : "r"(a4), "r"(a5) : "memory");
    return a2;
}}

/* Debian's libgcc for this core lacks these. Bit by bit; a * b modulo 2^64, 16 bits at a time. */
int32_t __divsi3(int32_t a, int32_t b);
int32_t __divsi3(int32_t a, int32_t b) {{
    uint32_t rest = 0, quotient = 0;
    const uint32_t x = a < 0 ? 0U - (uint32_t)a : (uint32_t)a;
    const uint32_t y = b < 0 ? 0U - (uint32_t)b : (uint32_t)b;
    for (int i = 31; i >= 0; --i) {{
        rest = rest << 1 | (x >> i & 1U);
        quotient <<= 1;
        if (rest >= y) {{
            rest -= y;
            quotient |= 1U;
        }}
    }}
    return (int32_t)((a < 0) != (b < 0) ? 0U - quotient : quotient);
}}

uint64_t __muldi3(uint64_t a, uint64_t b);
uint64_t __muldi3(uint64_t a, uint64_t b) {{
    uint64_t sum = 0;
    for (unsigned i = 0; i < 64; i += 16) {{
        for (unsigned j = 0; i + j < 64; j += 16) {{
            const uint32_t x = (uint32_t)(a >> i) & 0xFFFFU, y = (uint32_t)(b >> j) & 0xFFFFU;
            sum += (uint64_t)(x * y) << (i + j);
        }}
    }}
    return sum;
}}

void run_all(void);
void run_all(void) {{
    {prefix}_init(arena);
    for (unsigned n = 0; n < {runs}; ++n) {{
        memcpy(arena + {in_offset}, inputs + n * {in_bytes}, {in_bytes});
        {prefix}_run(arena);
        (void)simcall(4, 1, arena + {out_offset}, {out_bytes});
    }}
    for (;;) {{
        (void)simcall(1, 0, 0, 0);
    }}
}}
"""

needs_xtensa = pytest.mark.skipif(
    shutil.which(COMPILER) is None or shutil.which(QEMU) is None,
    reason=f"{COMPILER} (gcc-xtensa-lx106) or {QEMU} (qemu-system-misc) is not installed",
)
pytestmark = needs_xtensa


def main_for(artifact: Artifact, samples: Sequence[Sequence[Array]]) -> str:
    """A program that runs every sample and writes the output bytes one after the other."""
    manifest = artifact.manifest
    (source,), (output,) = manifest.inputs, manifest.outputs
    content = b"".join(sample[0].tobytes() for sample in samples)
    return MAIN.format(
        prefix=manifest.prefix, upper=manifest.prefix.upper(),
        inputs=", ".join(map(str, content)), runs=len(samples),
        in_offset=source.offset, in_bytes=source.nbytes,
        out_offset=output.offset, out_bytes=output.nbytes,
    )  # fmt: skip


def run_on_xtensa(artifact: Artifact, samples: Sequence[Sequence[Array]], folder: Path) -> bytes:
    files = {**artifact.files, "main.c": main_for(artifact, samples), "script.ld": SCRIPT}
    for name, text in files.items():
        (folder / name).write_text(text)
    objects = []
    for unit in (f"{artifact.manifest.prefix}.c", "main.c", str(RUNTIME / "runtime.c")):
        more = RUNTIME_FLAGS if "runtime" in unit else ()
        objects.append(f"{Path(unit).stem}.o")
        command = [COMPILER, *FLAGS, *more, "-c", unit, "-o", objects[-1]]
        subprocess.run(command, cwd=folder, check=True)
    link = [COMPILER, "-nostdlib", *objects, "-lgcc", "-T", "script.ld", "-Wl,--entry=reset"]
    subprocess.run([*link, "-o", "program.elf"], cwd=folder, check=True)
    command = [
        QEMU, "-M", "sim", "-cpu", "lx106", "-display", "none", "-monitor", "none", "-serial",
        "none", "-semihosting", "-kernel", "program.elf",
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=True
    )
    return done.stdout


def assert_equal_on_xtensa(graph: Graph, folder: Path, count: int) -> None:
    artifact = smidgen.compile(graph, "esp32-devkitc")
    samples = random_samples(graph, count)
    reference = Reference(graph)
    expected = b"".join(np.asarray(reference.run(sample)[0]).tobytes() for sample in samples)
    assert run_on_xtensa(artifact, samples, folder) == expected


def test_a_network_equals_the_reference(tmp_path: Path) -> None:
    assert_equal_on_xtensa(small_convnet(), tmp_path, 4)


@needs_data
@pytest.mark.parametrize(
    "model", ["cfu_golden/kws_dscnn/kws_ref_model.tflite", "tflm/hello_world_int8.tflite"]
)
def test_published_models_equal_the_reference(tmp_path: Path, model: str) -> None:
    assert DATA is not None
    assert_equal_on_xtensa(smidgen.load(DATA / "models" / model), tmp_path, 2)
