"""Less to do for the same result: constants in their place, what is there already or nobody reads left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Expr, Program, cast, constant, inputs, program, step_dtypes

from .duplicates import without_duplicates
from .graph import Buffer, Node, View
from .programs import expressions
from .trace import IDENTITY


def simplify(nodes: list[Node], needed: set[Buffer]) -> list[Node]:
    """All of this file that leaves the order of nodes as it is."""
    return without_dead(without_duplicates(inline_constants(own_what_is_made(nodes)), needed), needed)


def written(nodes: Iterable[Node]) -> set[Buffer]:
    """The buffers that some node writes to."""
    return {view.buffer for node in nodes for view in node.writes}


def own_what_is_made(nodes: list[Node]) -> list[Node]:
    """An array that the function makes and then writes into is made anew by each call: a copy of what it was."""
    makers = {v.buffer: n.device for n in nodes for v in n.writes if v.buffer.kind == "made"}
    new = {b: Buffer("inside", b.owner) for b in makers}

    def moved(views: list[View]) -> list[View]:
        return [v._replace(buffer=new[v.buffer]) if v.buffer in new else v for v in views]

    copies = [Node("elementwise", d, IDENTITY, [whole(b)], moved([whole(b)])) for b, d in makers.items()]
    return copies + [n.but(n.what, moved(n.reads), moved(n.writes)) for n in nodes]


def whole(buffer: Buffer) -> View:
    """All of a buffer that holds one array."""
    a = buffer.owner
    return View(buffer, 0, a.shape, a.strides, a.dtype)


def inline_constants(nodes: list[Node]) -> list[Node]:
    """Arrays of 0, 1 or -1, made while tracing and never written to, become constants of the programs.

    Other numbers stay operands: one that depends on the size of a batch must not make another kernel of a program.
    """
    variable = written(nodes)

    def value(view: View) -> Any:
        if view.buffer.kind != "made" or view.buffer in variable or 0 in view.shape:
            return None
        elements = view.buffer.owner
        first = elements.flat[0].item()
        return first if first in (-1, 0, 1) and (elements.size == 1 or np.all(elements == first)) else None

    return [_inlined(n, [value(v) for v in n.reads]) if n.kind == "elementwise" else n for n in nodes]


def _inlined(node: Node, values: list[Any]) -> Node:
    kept = [v for v, c in zip(node.reads, values, strict=True) if c is None]
    if len(kept) == len(values) or not kept:
        return node
    weak = _with_constants(node.what, values, [constant(c) if c is not None else None for c in values])
    before = step_dtypes(node.what, [v.dtype for v in node.reads])
    after = step_dtypes(weak, [v.dtype for v in kept])
    if [before[i] for i in node.what.outputs] != [after[i] for i in weak.outputs]:
        strong = [cast(c, v.dtype) if c is not None else None for c, v in zip(values, node.reads, strict=True)]
        weak = _with_constants(node.what, values, strong)
    return node.but(weak, kept, node.writes)


def _with_constants(old: Program, values: list[Any], replacing: list[Expr | None]) -> Program:
    count = values.count(None)
    fresh = iter(inputs(count))
    return program(expressions(old, [r if r is not None else next(fresh) for r in replacing]), count)


def checks_first(nodes: list[Node]) -> tuple[list[Node], list[Node]]:
    """The nodes that only look, at what a call brings or finds: they run before anything is changed; and the others."""
    changed = written(nodes)
    early = [n for n in nodes if not n.writes and not changed.intersection(v.buffer for v in n.reads)]
    return early, [n for n in nodes if n not in early]


def without_dead(nodes: list[Node], needed: set[Buffer]) -> list[Node]:
    """Only what reaches memory outside, or a needed buffer, or may raise an error."""
    alive: list[Node] = []
    wanted = set(needed)
    for node in reversed(nodes):
        if not node.writes or any(v.buffer.kind in ("outside", "input") or v.buffer in wanted for v in node.writes):
            alive.append(node)
            wanted |= {v.buffer for v in node.reads}
    return alive[::-1]
