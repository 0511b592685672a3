"""What would be computed twice from the same is computed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .graph import Buffer, Node, View

PURE = ("elementwise", "matmul", "reduce")


def without_duplicates(nodes: Sequence[Node], needed: set[Buffer]) -> list[Node]:
    """The nodes without those whose results an earlier one has; readers are sent there. needed: each stays itself.

    Memory that is written once, or never, has one value during the whole call; only of that it is known.
    """
    changed = _changed(nodes)
    known: dict[Any, Node] = {}
    same: dict[Buffer, Buffer] = {}
    kept: list[Node] = []
    for node in nodes:
        node = _sent(node, same)
        first = known.setdefault(_key(node), node) if _is_pure(node, changed) else node
        if first is node or any(v.buffer in needed for v in node.writes):
            kept.append(node)
        else:
            same |= {b.buffer: a.buffer for a, b in zip(first.writes, node.writes, strict=True)}
    return kept


def _changed(nodes: Sequence[Node]) -> set[Buffer]:
    writes = Counter(v.buffer for n in nodes for v in n.writes)
    return {b for b, count in writes.items() if count > 1 or b.kind != "inside"}


def _is_pure(node: Node, changed: set[Buffer]) -> bool:
    """Whether a node does nothing but write what follows from what it reads."""
    return node.kind in PURE and changed.isdisjoint(v.buffer for v in (*node.reads, *node.writes))


def _key(node: Node) -> Any:
    """What two nodes have in common that give the same in the same layout."""
    layouts = tuple(v[1:] for v in node.writes)
    return node.kind, node.device.name, node.what, tuple(node.reads), layouts


def _sent(node: Node, same: dict[Buffer, Buffer]) -> Node:
    """The node reading from where the results are now."""
    if not any(v.buffer in same for v in node.reads):
        return node
    reads = [View(same.get(v.buffer, v.buffer), *v[1:]) for v in node.reads]
    return node.but(node.what, reads, node.writes)
