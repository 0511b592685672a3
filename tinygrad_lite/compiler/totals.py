"""Reductions of what an elementwise kernel makes along rows become part of its loop."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tinygrad_lite_kernels.cpu import row_totals
from tinygrad_lite_kernels.expr import Program
from tinygrad_lite_kernels.layout import broadcast_strides

from .fuse import MOST_OPERANDS
from .graph import Buffer, Node


class Totals(NamedTuple):
    """A program, for every output the name of its reduction ("" where it is stored), and how operands lie in rows."""

    program: Program
    reductions: tuple[str, ...]
    layout: row_totals.Layout
    rows: int


def fuse_totals(members: Sequence[Node], count: int, seen: set[Buffer]) -> list[Node]:
    """Nodes that work on the same `count` rows, with reductions joined to what they reduce. seen: read by others."""
    left = list(members)
    for node in members:
        reductions = [r for r in left if _reduces(r, node, count) and _can_move(r, node, left)]
        others = [n for n in left if n not in reductions]
        joined = _joined(node, reductions, others, count, seen) if reductions else None
        if joined:
            left = [joined if n is node else n for n in others]
    return left


def _reduces(node: Node, source: Node, count: int) -> bool:
    return (
        node.kind == "reduce"
        and source.kind == "elementwise"
        and node.what[0] in row_totals.REDUCTIONS
        and node.reads[0] in source.writes
        and node.reads[0].dtype.char in row_totals.FLOATS
        and math.prod(node.writes[0].shape) == count
        and not any(w.overlaps(r) for w in source.writes for r in source.reads)
    )


def _can_move(node: Node, to: Node, members: Sequence[Node]) -> bool:
    """Whether nothing between two nodes writes what the later one reads, or touches what it writes."""
    first, last = members.index(to), members.index(node)
    touched = {v for n in members[first:last] for v in (*n.reads, *n.writes)}
    written = {v for n in members[first + 1 : last] for v in n.writes}
    (read,), (write,) = node.reads, node.writes
    return not any(v.overlaps(write) for v in touched) and not any(v.overlaps(read) for v in written)


def _joined(
    node: Node, reductions: Sequence[Node], others: Sequence[Node], count: int, seen: set[Buffer]
) -> Node | None:
    """One node for an elementwise one and reductions of what it writes; None where an operand does not lie in rows."""
    read = {v.buffer for n in others for v in n.reads}
    stored = [v for v in node.writes if v.buffer.kind != "inside" or v.buffer in seen | read]
    sources = [*stored, *(r.reads[0] for r in reductions)]
    writes = [*stored, *(r.writes[0] for r in reductions)]
    shape = node.writes[0].shape
    strides = [broadcast_strides(v, shape) for v in stored] + [_repeated(r, shape) for r in reductions]
    strides += [broadcast_strides(v, shape) for v in node.reads]
    layout = row_totals.layout(shape, count, strides, [v.dtype.itemsize for v in (*writes, *node.reads)])
    if layout is None or len(strides) > MOST_OPERANDS:
        return None
    outputs = tuple(node.what.outputs[node.writes.index(v)] for v in sources)
    names = tuple([""] * len(stored) + [r.what[0] for r in reductions])
    program = Program(node.what.steps, outputs, node.what.input_count)
    return Node("totals", node.device, Totals(program, names, layout, count), node.reads, writes)


def _repeated(reduction: Node, shape: Sequence[int]) -> tuple[int, ...]:
    """Those that walk a reduction's result as if it repeated along the reduced axes."""
    axes, item = reduction.what[1], reduction.writes[0].dtype.itemsize
    return tuple(0 if i in axes else item * math.prod(shape[i + 1 : axes[0]]) for i in range(len(shape)))
