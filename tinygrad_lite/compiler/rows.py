"""Elementwise kernels and reductions over the same rows become one step, which works on a few rows at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import mul
from typing import NamedTuple

from tinygrad_lite_kernels.cpu.reduce_plan import ROW_BLOCK

from .fuse import seen_later
from .graph import Buffer, Node, View
from .order import Order
from .totals import fuse_totals

LEAST_BYTES = 1 << 18  # less than this is in cache anyway
MOST_OPERANDS = 48


class Rows(NamedTuple):
    """Nodes that all work row by row on `number` rows, and the buffers that only they see."""

    members: list[Node]
    number: int
    scratch: list[Buffer]


def fuse_rows(nodes: Sequence[Node], needed: set[Buffer]) -> list[Node]:
    """The nodes with groups of large row-wise ones put together where a reduction is among them."""
    order = Order(nodes)
    counts = [_row_counts(node) for node in nodes]
    near: dict[Buffer, int] = {}  # the row-wise node that touched it last
    for i, node in enumerate(nodes):
        if counts[i]:
            for view in node.reads:
                if view.buffer in near:
                    _join(nodes, order, counts, i, near[view.buffer])
            near |= dict.fromkeys((v.buffer for v in (*node.reads, *node.writes)), i)
    groups = order.groups()
    seen = seen_later(nodes, groups, needed)
    return [n for g, later in zip(groups, seen, strict=True) for n in _grouped(nodes, counts, g, later)]


def _row_counts(node: Node) -> set[int]:
    """Into how many rows, that need nothing of one another, the work of a node can be cut.

    A reduction of longer rows is more than one kernel, and one of a single element is none.
    """
    if node.device is None or node.device.name != "cpu" or not all(_in_rows(v) for v in node.writes):
        return set()
    if node.kind == "elementwise":
        return set(accumulate(node.writes[0].shape, mul)) - {1}
    if node.kind == "reduce" and _in_rows(node.reads[0]):
        shape, axes = node.reads[0].shape, node.what[1]
        if axes and axes == tuple(range(axes[0], len(shape))) and 1 < math.prod(shape[axes[0] :]) <= ROW_BLOCK:
            return set(accumulate(shape[: axes[0]], mul)) - {1}
    return set()


def _in_rows(view: View) -> bool:
    """Whether the elements lie in row order without gaps."""
    expected = view.dtype.itemsize
    for size, stride in zip(reversed(view.shape), reversed(view.strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return 0 not in view.shape


def _join(nodes: Sequence[Node], order: Order, counts: list[set[int]], a: int, b: int) -> None:
    both = sorted({*order.group(a), *order.group(b)})
    common = set.intersection(*(counts[i] for i in both))
    if not common or not order.can_join(a, b):
        return
    members = [nodes[i] for i in both]
    if len({v for n in members for v in (*n.reads, *n.writes)}) <= MOST_OPERANDS and _aligned(members, max(common)):
        order.join(a, b)


def _aligned(members: Sequence[Node], count: int) -> bool:
    """Whether every row needs, of what the members write, its own row only."""
    written = [v for n in members for v in n.writes]
    return all(
        _same_rows(view, node, place, count)
        for node in members
        for view in node.reads
        for place in written
        if view.overlaps(place)
    )


def _same_rows(read: View, node: Node, write: View, count: int) -> bool:
    if not _in_rows(read) or (read.offset, _size(read)) != (write.offset, _size(write)):
        return False
    if node.kind != "elementwise":
        return True
    shape = node.writes[0].shape
    own = (1,) * (len(shape) - len(read.shape)) + read.shape
    leading = next((k for k, n in enumerate(accumulate(shape, mul), 1) if n == count), 0)
    return own[:leading] == shape[:leading]


def _size(view: View) -> int:
    return math.prod(view.shape) * view.dtype.itemsize


def _grouped(
    nodes: Sequence[Node], counts: Sequence[set[int]], group: Sequence[int], seen: set[Buffer]
) -> Iterator[Node]:
    """One node for the group, or its members where that is not worth it."""
    members = [nodes[i] for i in group]
    large = sum({v: _size(v) for n in members for v in (*n.reads, *n.writes)}.values()) >= LEAST_BYTES
    if len(members) == 1 or not large or all(n.kind != "reduce" for n in members):
        yield from members
        return
    count = max(set.intersection(*(counts[i] for i in group)))
    members = fuse_totals(members, count, seen)
    own = {v.buffer for n in members for v in n.writes if v.buffer.kind == "inside" and v.buffer not in seen}
    reads = dict.fromkeys(v for n in members for v in n.reads if v.buffer not in own)
    writes = dict.fromkeys(v for n in members for v in n.writes if v.buffer not in own)
    yield Node("rows", members[0].device, Rows(members, count, list(own)), list(reads), list(writes))
