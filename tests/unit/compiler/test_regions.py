"""Arenas over several memories: what goes where, and the same bytes on boards that need it."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from networks import NetworkMaker, samples

from smidgen.compiler.artifact import Artifact
from smidgen.compiler.compile import compile_graph
from smidgen.compiler.memory.buffers import Allowance, Buffer
from smidgen.compiler.memory.regions import Demand, Room, spread
from smidgen.compiler.rooms import rooms_of
from smidgen.core.errors import DoesNotFit
from smidgen.emulate.device import Device
from smidgen.emulate.host import HostDevice
from smidgen.emulate.live.firmware import live_program
from smidgen.emulate.live.tasks import OWN
from smidgen.graph.evaluate import Reference
from smidgen.graph.graph import Graph
from smidgen.ops.elementwise.ops import Add
from smidgen.ops.support.window import Padding
from smidgen.targets.catalogue import Board, board
from support.banding import in_bands


def with_memories(name: str, main: int, other: int, waits: tuple[int, int] = (0, 0)) -> Board:
    """A board like `name` with two RAM regions of so many bytes."""
    target = board(name)
    first, second = (
        replace(target.ram[0], name=label, address=address, bytes=size, wait_states=wait)
        for label, address, size, wait in zip(
            ("sram1", "sram2"), (0x20000000, 0x20080000), (main, other), waits, strict=True
        )
    )
    return replace(target, ram=(first, second))


def residual_network(seed: int = 3) -> Graph:
    """Two wide tensors that live while a third is computed: 2,048 bytes each."""
    maker = NetworkMaker(seed)
    same, stay = Padding(1, 1, 1, 1), (1, 1)
    x = maker.conv(maker.input((1, 16, 16, 1)), 8, 3, same, stay)
    y = maker.conv(maker.conv(x, 8, 3, same, stay), 8, 3, same, stay)
    (x,) = maker.builder.add(Add(), [x, y], maker.activation_quant())
    x = maker.conv(x, 4, 3, same, (2, 2))
    return maker.builder.finish([maker.dense(x, 5)])


def runs_alike(graph: Graph, device: Device | HostDevice) -> None:
    for arrays in samples(graph, count=2):
        (wanted,) = Reference(graph).run(arrays)
        np.testing.assert_array_equal(device.run(arrays)[0], wanted)


def needed_bytes(graph: Graph, name: str) -> int:
    return compile_graph(graph, board(name)).manifest.arena_bytes


@pytest.mark.parametrize("name", ["nucleo-l4r5zi", "raspberry-pi-pico", "esp32-c3"])
@pytest.mark.parametrize("waits", [(0, 0), (0, 3), (2, 0)])
def test_two_memories_hold_what_neither_can(name: str, waits: tuple[int, int]) -> None:
    graph = residual_network()
    whole = needed_bytes(graph, name)
    # A quarter of the first is the stack's.
    target = with_memories(name, whole * 4 // 5 * 4 // 3 // 8 * 8, whole * 3 // 5 // 8 * 8, waits)
    artifact = compile_graph(graph, target)
    parts = artifact.manifest.arenas
    assert [part.region for part in parts] == ["sram1", "sram2"]
    rooms = {room.name: room.nbytes for room in rooms_of(target)}
    assert all(0 < part.nbytes <= rooms[part.region] < whole for part in parts)
    runs_alike(graph, Device(artifact, target))
    if name != "nucleo-l4r5zi":
        runs_alike(graph, HostDevice(artifact))


def test_what_fits_in_one_memory_stays_in_it_and_has_one_pointer() -> None:
    graph = residual_network()
    alone = compile_graph(graph, board("esp32-c3"))
    roomy = compile_graph(graph, with_memories("esp32-c3", 64 << 10, 64 << 10, (3, 0)))
    assert alone.files == roomy.files and not roomy.manifest.arenas


def test_the_header_has_a_constant_and_a_pointer_for_each_memory() -> None:
    whole = needed_bytes(residual_network(), "esp32-c3")
    target = with_memories("esp32-c3", whole, whole // 2 // 8 * 8)
    artifact = compile_graph(residual_network(), target, name="net")
    header, (main, other) = artifact.files["net.h"], artifact.manifest.arenas
    assert f"#define NET_ARENA_BYTES {main.nbytes}\n" in header
    assert f"#define NET_ARENA_SRAM2_BYTES {other.nbytes}\n" in header
    assert "void net_init(void *arena, void *arena_sram2);" in header
    assert "static inline int8_t *net_input(void *arena) {" in header


def test_bands_and_memories_go_together(tmp_path: Path) -> None:
    graph = residual_network()
    banded = in_bands(graph, 0, 4, Fraction(1))
    assert banded is not None
    alone = compile_graph(banded, board("esp32-c3")).manifest.arena_bytes
    main = (alone - 32) * 4 // 3  # of which a quarter is the stack's
    target = with_memories("esp32-c3", main, alone)
    artifact = compile_graph(banded, target)
    assert artifact.manifest.bands and len(artifact.manifest.arenas) == 2
    runs_alike(graph, Device(artifact, target))
    artifact.write(tmp_path / "out")
    assert Artifact.read(tmp_path / "out").manifest == artifact.manifest


def test_what_no_memories_hold_is_said_by_the_linker() -> None:
    target = with_memories("esp32-c3", 2048, 1024)
    artifact = compile_graph(residual_network(), target)
    assert not artifact.manifest.arenas
    with pytest.raises(DoesNotFit, match="RAM region 'sram1' overflows"):
        Device(artifact, target)


def test_a_live_device_has_all_memories() -> None:
    whole = needed_bytes(residual_network(), "nucleo-l4r5zi")
    target = with_memories("nucleo-l4r5zi", 32768, whole)
    small = replace(target, ram=(replace(target.ram[0], bytes=whole), target.ram[1]))
    artifact = compile_graph(residual_network(), small)
    assert len(artifact.manifest.arenas) == 2
    assert live_program(artifact, target, OWN).link(target)


ROOMS = (Room("fast", 100, 0, False), Room("main", 1000, 2, True))


def test_hot_buffers_are_in_the_fast_memory_and_ports_in_the_main_one() -> None:
    buffers = [Buffer(name, 80, 0, 3) for name in ("in", "hot", "cold")]
    accessed = {"in": 9000, "hot": 800, "cold": 80}
    main, fast = spread(Demand(buffers, (), accessed, frozenset({"in"}), 8), ROOMS)
    assert (main.room.name, set(main.plan.offsets)) == ("main", {"in", "cold"})
    assert (fast.room.name, set(fast.plan.offsets)) == ("fast", {"hot"})


def test_buffers_in_one_memory_overlap_as_before() -> None:
    buffers = [Buffer("in", 96, -1, 0), Buffer("a", 96, 0, 1), Buffer("b", 96, 1, 2)]
    rules = [Allowance("b", "a", 0, None)]
    main, fast = spread(Demand(buffers, rules, {}, frozenset({"in"}), 8), ROOMS)
    assert set(fast.plan.offsets) == {"a", "b"} and fast.plan.arena_bytes == 96
    assert set(main.plan.offsets) == {"in"}


def test_memories_that_are_too_small_together_are_found_out() -> None:
    buffers = [Buffer(str(index), 400, 0, 1) for index in range(3)]
    assert spread(Demand(buffers, (), {}, frozenset(), 8), ROOMS) is None
