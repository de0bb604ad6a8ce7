"""Negative gaps taken out by measuring each buffer from a mark of its own.

With offset'(i) = offset(i) - mark(i) a gap becomes gap(a, b) + mark(a) - mark(b). Marks under which
no gap is negative are potentials, as in Johnson's algorithm for shortest paths (1977); they exist
unless the gaps round some cycle add up to less than nothing.
"""

from __future__ import annotations

from smidgen.compiler.memory.problem import Problem


def level(problem: Problem) -> Problem | None:
    """`problem` as measured from marks, so that no gap is negative; None where there are none.

    An order in which buffers are placed, and the extent, mean the same in both. Pairs that exclude
    each other keep a gap above 0 both ways, so that no buffers can lie in a circle, each above the
    next: the search relies on that.
    """
    marks = _marks(problem)
    if marks is None:
        return None
    gaps = tuple(
        {b: gap + marks[a] - marks[b] for b, gap in row.items()}
        for a, row in enumerate(problem.gaps)
    )
    sizes = tuple(size + mark for size, mark in zip(problem.sizes, marks, strict=True))
    return Problem(sizes, problem.spans, gaps, (), tuple(-mark for mark in marks))


def _marks(problem: Problem) -> list[int] | None:
    """The greatest marks, none above 0, with mark(b) <= mark(a) + gap(a, b) (Bellman and Ford)."""
    edges = [
        (a, b, gap - (1 if gap > 0 and problem.gaps[b][a] > 0 else 0))
        for a, row in enumerate(problem.gaps)
        for b, gap in row.items()
    ]
    marks = [0] * len(problem.sizes)
    for _ in range(len(marks) + 1):
        changed = False
        for a, b, gap in edges:
            if marks[a] + gap < marks[b]:
                marks[b] = marks[a] + gap
                changed = True
        if not changed:
            return marks
    return None
