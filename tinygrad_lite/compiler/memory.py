"""Where results lie: one piece of memory for all that lives inside of a plan, shared by what does not live at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .graph import Buffer, Node, views

ALIGNMENT = 64


def lay_out(nodes: Sequence[Node], elsewhere: set[Buffer]) -> tuple[int, dict[Buffer, int]]:
    """The size of the memory, and where in it each buffer from inside starts; not those that lie elsewhere.

    Large buffers are placed first, each at the lowest place that is free for as long as it lives.
    """
    alive = lives(nodes, elsewhere)
    placed: list[tuple[int, int, int, int]] = []
    found: dict[Buffer, int] = {}
    for buffer in sorted(alive, key=lambda b: (-b.size, b.number)):
        first, last = alive[buffer]
        size = -(-buffer.size // ALIGNMENT) * ALIGNMENT
        taken = sorted((start, end) for start, end, a, b in placed if a <= last and first <= b)
        found[buffer] = start = _lowest_gap(taken, size)
        placed.append((start, start + size, first, last))
    return max((end for _, end, _, _ in placed), default=0), found


def lives(nodes: Sequence[Node], elsewhere: set[Buffer]) -> dict[Buffer, tuple[int, int]]:
    """From which node to which each buffer is in use."""
    found: dict[Buffer, tuple[int, int]] = {}
    for i, node in enumerate(nodes):
        for view in views([node]):
            if view.buffer.kind == "inside" and view.buffer not in elsewhere:
                found[view.buffer] = found.get(view.buffer, (i, i))[0], i
    return found


def _lowest_gap(taken: Sequence[tuple[int, int]], size: int) -> int:
    place = 0
    for start, end in taken:
        if start - place >= size:
            break
        place = max(place, end)
    return place


def aligned(size: int) -> np.ndarray:
    """Bytes that start at a multiple of the alignment."""
    memory = np.empty(size + ALIGNMENT, np.uint8)
    shift = -memory.__array_interface__["data"][0] % ALIGNMENT
    return memory[shift : shift + size]
