"""Writes the .h file: sizes, input and output accessors, and the functions that the user calls."""

from __future__ import annotations

from collections.abc import Sequence

from smidgen.compiler.artifact import ArenaPart, Port
from smidgen.compiler.codegen.arenas import Arenas
from smidgen.compiler.codegen.literals import comment_safe, floating


def write_header(
    prefix: str,
    title: str,
    arena_bytes: int,
    alignment: int,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    parts: tuple[ArenaPart, ...] = (),
) -> str:
    """The public C interface of a model."""
    upper, given = prefix.upper(), Arenas(parts).parameters("void")
    accessors = "\n".join(
        [
            *_ports(prefix, "input", inputs),
            *_ports(prefix, "output", outputs),
        ]
    )
    return f"""{title}
#ifndef {upper}_H
#define {upper}_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

/* Working memory, which the caller owns. It holds inputs, outputs and everything between:
 * declare `uint8_t arena[{upper}_ARENA_BYTES]`, aligned to {upper}_ARENA_ALIGNMENT bytes. */
#define {upper}_ARENA_BYTES {max(parts[0].nbytes if parts else arena_bytes, 1)}
#define {upper}_ARENA_ALIGNMENT {alignment}
{_further_arenas(upper, parts)}
{accessors}
/* Call once before the first run, and again to forget the state of a streaming model. */
void {prefix}_init({given});

/* One inference: reads the inputs, which it may overwrite, and leaves the outputs in the arena. */
void {prefix}_run({given});

#ifdef __cplusplus
}}
#endif

#endif
"""


def _further_arenas(upper: str, parts: Sequence[ArenaPart]) -> str:
    """What the header says of the arenas in other memories than the main one; "" without any."""
    if not parts:
        return ""
    sizes = "".join(
        f"#define {upper}_{name.upper()}_BYTES {part.nbytes}\n"
        for name, part in zip(Arenas(tuple(parts)).names[1:], parts[1:], strict=True)
    )
    return (
        f"\n/* No single memory holds all of it: the arena above is meant for {parts[0].region},\n"
        f" * with inputs and outputs; these are for other memories, aligned alike. */\n{sizes}"
    )


def _ports(prefix: str, side: str, ports: Sequence[Port]) -> list[str]:
    names = _accessors(prefix, side, len(ports))
    return [_port(name, side, port) for name, port in zip(names, ports, strict=True)]


def public_names(prefix: str, inputs: int, outputs: int) -> set[str]:
    """The functions that the header of a model with so many inputs and outputs declares."""
    accessors = (*_accessors(prefix, "input", inputs), *_accessors(prefix, "output", outputs))
    return {f"{prefix}_init", f"{prefix}_run", *accessors}


def _accessors(prefix: str, side: str, count: int) -> list[str]:
    return [f"{prefix}_{side}" + (f"_{index}" if count > 1 else "") for index in range(count)]


def _port(name: str, side: str, port: Port) -> str:
    upper, element = name.upper(), port.element
    elements = port.nbytes * 8 // element.value.bits
    shape = "x".join(str(extent) for extent in port.shape) or "scalar"
    const = "const " if side == "output" else ""
    quant = ""
    if port.scale is not None and port.zero_point is not None:
        zero = f"({port.zero_point})" if port.zero_point < 0 else str(port.zero_point)
        quant = (
            f"/* real = {upper}_SCALE * (quantum - {upper}_ZERO_POINT) */\n"
            f"#define {upper}_SCALE {floating(port.scale)}\n"
            f"#define {upper}_ZERO_POINT {zero}\n"
        )
    return (
        f"/* {side.capitalize()} {comment_safe(port.name)}: {shape}, {port.dtype}. */\n"
        f"#define {upper}_ELEMENTS {elements}\n{quant}"
        f"static inline {const}{element.c_type} *{name}({const}void *arena) {{\n"
        f"    return ({const}{element.c_type} *)(({const}uint8_t *)arena + {port.offset});\n}}\n"
    )
