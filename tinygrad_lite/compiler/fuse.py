"""Elementwise kernels that feed one another, or read the same, become one: what only they see is never stored."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_lite_kernels.expr import Expr, program
from tinygrad_lite_kernels.layout import order_of

from .graph import Buffer, Node, View
from .order import Order
from .programs import expressions

MOST_OPERANDS = 24  # of so many LLVM is told that they lie apart


def fuse(nodes: Sequence[Node], needed: set[Buffer]) -> list[Node]:
    """Groups of elementwise nodes as one node each, the others as they are. needed: buffers that outputs look at."""
    order = Order(nodes)
    near: dict[View, int] = {}  # the elementwise node that wrote or read it last
    for i, node in enumerate(nodes):
        if node.kind == "elementwise":
            for view in node.reads:
                if view in near and _alike(node, nodes[near[view]]):
                    _join(nodes, order, i, near[view])
            near |= {v: i for v in (*node.reads, *node.writes) if v.shape == node.writes[0].shape}
    groups = order.groups()
    seen = seen_later(nodes, groups, needed)
    return [_merged([nodes[i] for i in group], later) for group, later in zip(groups, seen, strict=True)]


def _alike(a: Node, b: Node) -> bool:
    """Whether two nodes can be one loop."""
    if b.kind != "elementwise" or a.device is not b.device:
        return False
    first, second = a.writes[0], b.writes[0]
    return first.shape == second.shape and order_of(first.strides) == order_of(second.strides)


def _join(nodes: Sequence[Node], order: Order, a: int, b: int) -> None:
    if order.can_join(a, b) and _fits([nodes[i] for i in sorted({*order.group(a), *order.group(b)})]):
        order.join(a, b)


def _fits(members: Sequence[Node]) -> bool:
    """Few enough operands, and memory that is written is read only at the place where it is written.

    Of the sums of gradients of an unrolled loop one addition: the kernel must not depend on the length of the loop.
    """
    if _loose_sums(members) > 1:
        return False
    reads = {v for n in members for v in n.reads}
    writes = {v for n in members for v in n.writes}
    if len(reads | writes) > MOST_OPERANDS:
        return False
    return not any(r != w and r.overlaps(w) for w in writes for r in reads | writes)


def _loose_sums(members: Sequence[Node]) -> int:
    """How many members add to a sum of gradients what other kernels computed."""
    made = {v for n in members if not n.accumulates for v in n.writes}
    return sum(n.accumulates and made.isdisjoint(n.reads) for n in members)


def seen_later(nodes: Sequence[Node], groups: Sequence[Sequence[int]], needed: set[Buffer]) -> list[set[Buffer]]:
    """For each group those buffers, of all that it writes, that a later group reads or that are needed afterwards."""
    last = {view.buffer: number for number, group in enumerate(groups) for i in group for view in nodes[i].reads}
    written = ({v.buffer for i in group for v in nodes[i].writes} for group in groups)
    return [{b for b in found if b in needed or last.get(b, -1) > number} for number, found in enumerate(written)]


def _merged(members: Sequence[Node], seen: set[Buffer]) -> Node:
    """One node that does what the members did, and stores what others see."""
    if members[0].kind != "elementwise":
        return members[0]
    arguments: dict[View, Expr] = {}
    now: dict[View, Expr] = {}
    for node in members:
        args = [now[v] if v in now else _argument(arguments, v) for v in node.reads]
        now |= zip(node.writes, expressions(node.what, args), strict=True)
    stored = {v: x for v, x in now.items() if v.buffer.kind != "inside" or v.buffer in seen}
    what = program(list(stored.values()), len(arguments))
    return Node("elementwise", members[0].device, what, list(arguments), list(stored))


def _argument(arguments: dict[View, Expr], view: View) -> Expr:
    if view not in arguments:
        arguments[view] = Expr("input", value=len(arguments))
    return arguments[view]
