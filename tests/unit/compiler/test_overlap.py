"""Safe distances, against a simulation that reads and writes element by element."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smidgen.ops.support.overlap import (
    backward_distance,
    safe_conv_distance,
    safe_pixel_distance,
    safe_row_distance,
)
from smidgen.ops.support.window import Padding

Step = tuple[list[int], list[int]]
"""Elements of the input that are read, then elements of the output that are written."""


@st.composite
def layers(draw):
    size = (draw(st.integers(1, 6)), draw(st.integers(1, 5)))
    window = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = Padding(*(draw(st.integers(0, 3)) for _ in range(4)))
    channels, multiplier = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    padded = (size[0] + padding.top + padding.bottom, size[1] + padding.left + padding.right)
    reach = [(w - 1) * d + 1 for w, d in zip(window, dilation, strict=True)]
    assume(reach[0] <= padded[0] and reach[1] <= padded[1])
    out = [(p - r) // s + 1 for p, r, s in zip(padded, reach, stride, strict=True)]
    x = (1, *size, channels)
    return x, (1, *out, channels * multiplier), window, stride, padding, dilation


def window_reads(layer, r: int, c: int, channels: range) -> list[int]:
    x, _, window, stride, padding, dilation = layer
    found = []
    for h in range(window[0]):
        for w in range(window[1]):
            row = r * stride[0] - padding.top + h * dilation[0]
            col = c * stride[1] - padding.left + w * dilation[1]
            if 0 <= row < x[1] and 0 <= col < x[2]:
                found += [(row * x[2] + col) * x[3] + i for i in channels]
    return found


def element_steps(layer, depthwise: bool) -> Iterator[Step]:
    x, y = layer[:2]
    for r in range(y[1]):
        for c in range(y[2]):
            for o in range(y[3]):
                i = o // (y[3] // x[3])
                channels = range(i, i + 1) if depthwise else range(x[3])
                yield window_reads(layer, r, c, channels), [(r * y[2] + c) * y[3] + o]


def pixel_steps(layer, pixels: int) -> Iterator[Step]:
    x, y = layer[:2]
    for first in range(0, y[1] * y[2], pixels):
        group = range(first, min(first + pixels, y[1] * y[2]))
        reads = [e for p in group for e in window_reads(layer, *divmod(p, y[2]), range(x[3]))]
        yield reads, [p * y[3] + o for p in group for o in range(y[3])]


def row_steps(layer) -> Iterator[Step]:
    """A ring of rows: each input row is read once, before the first output row that needs it."""
    x, y, window, stride, padding, dilation = layer
    copied = 0
    for r in range(y[1]):
        need = min(max(r * stride[0] - padding.top + (window[0] - 1) * dilation[0] + 1, 0), x[1])
        line = x[2] * x[3]
        reads = list(range(copied * line, need * line)) if need > copied else []
        copied = max(copied, need)
        yield reads, list(range(r * y[2] * y[3], (r + 1) * y[2] * y[3]))


def survives(steps: list[Step], distance: int, element_bytes: int = 1) -> bool:
    """Whether no step reads a byte that an earlier step has written."""
    dirty: set[int] = set()
    for reads, writes in steps:
        for e in reads:
            if any(e * element_bytes + b in dirty for b in range(element_bytes)):
                return False
        dirty.update(distance + e * element_bytes + b for e in writes for b in range(element_bytes))
    return True


def check_distance(steps: list[Step], distance: int, layer, element_bytes: int = 1) -> None:
    span = (int(np.prod(layer[0])) + int(np.prod(layer[1]))) * element_bytes
    for nearer in range(-span, min(distance, span) + 1):
        assert survives(steps, nearer, element_bytes), (nearer, distance)


@settings(max_examples=60, deadline=None)
@given(layers(), st.booleans(), st.integers(1, 2))
def test_no_element_is_overwritten_before_it_is_read(layer, depthwise, element_bytes):
    x, y = layer[:2]
    multiplier = y[3] // x[3] if depthwise else None
    distance = safe_conv_distance(*layer, multiplier=multiplier, element_bytes=element_bytes)
    check_distance(list(element_steps(layer, depthwise)), distance, layer, element_bytes)


@settings(max_examples=60, deadline=None)
@given(layers(), st.integers(1, 5))
def test_groups_of_pixels_keep_their_distance(layer, pixels):
    distance = safe_pixel_distance(*layer, pixels=pixels)
    check_distance(list(pixel_steps(layer, pixels)), distance, layer)


@settings(max_examples=60, deadline=None)
@given(layers(), st.integers(1, 2))
def test_a_ring_of_rows_keeps_its_distance(layer, element_bytes):
    distance = safe_row_distance(*layer, element_bytes=element_bytes)
    check_distance(list(row_steps(layer)), distance, layer, element_bytes)


def test_distances_are_tight_for_common_layers():
    same = Padding(1, 1, 1, 1)
    image = (1, 8, 8, 4)
    for depthwise in (False, True):
        layer = (image, image, (3, 3), (1, 1), same, (1, 1))
        distance = safe_conv_distance(*layer, multiplier=1 if depthwise else None)
        steps = list(element_steps(layer, depthwise))
        assert survives(steps, distance) and not survives(steps, distance + 1)
    pointwise = (image, (1, 8, 8, 6), (1, 1), (1, 1), Padding(), (1, 1))
    assert safe_conv_distance(*pointwise) == -(64 * 2 + 4 - 1)


def test_elementwise_and_pointwise_rows_run_in_place():
    image = (1, 5, 7, 4)
    layer = (image, image, (1, 1), (1, 1), Padding(), (1, 1))
    assert safe_conv_distance(*layer, multiplier=1) == 0
    assert safe_pixel_distance(*layer) == 0
    ring = (image, image, (3, 3), (1, 1), Padding(1, 1, 1, 1), (1, 1))
    assert safe_row_distance(*ring) >= 0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=8), st.integers(1, 3))
def test_walking_backwards_is_the_mirror_image(reads, block):
    """Block b reads input byte reads[b]; blocks run from the last to the first."""
    last_unread = [max(reads[:b], default=-1) for b in range(len(reads))]
    distance = backward_distance(np.array(last_unread), block)
    steps = [([reads[b]], list(range(b * block, (b + 1) * block))) for b in range(len(reads))]
    for farther in range(distance, distance + 20):
        assert survives(steps[::-1], farther)
