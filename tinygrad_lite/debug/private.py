"""The plan of a call on memory of its own: running it changes no parameter, no state, and no argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ..compiler.compiled import Compiled
from ..compiler.graph import Buffer, Node, View
from ..compiler.memory import aligned
from ..compiler.passes import passes
from ..compiler.plan import Outside, Plan
from ..compiler.simplify import checks_first, written
from .lookup import Call


class Private:
    """A plan whose nodes are those after a pass, on copies of all memory outside that it writes to.

    outside: its inputs, copied where it writes to them, and room for its outputs.
    """

    def __init__(self, call: Call, compiled: Compiled, stage: str):
        nodes, outputs = compiled.tracer.nodes, compiled.plan.outputs
        changed = written(nodes)
        with call.jitted._lock, _prepared(compiled):
            inputs = [x._data for x in call.tensors]
            inputs += [leaf._grad._data for leaf in compiled.tracer.gradients.values()]
            positions = {b.position for b in changed if b.kind == "input"}
            own = [copied(a) if i in positions else a for i, a in enumerate(inputs)]
            looked_at = {v.buffer for node in nodes for v in (*node.reads, *node.writes)}
            numbers = {b for b in looked_at if b.kind == "outside" and b.owner.nbytes <= SMALL}
            copies = {b: _copy(b) for b in changed | numbers if b.kind == "outside"}
        checks, rest = checks_first([_moved(node, copies) for node in nodes])
        self.nodes = dict(passes(rest, {v.buffer for v in outputs}))[stage]
        buffers = sorted((b for b in compiled.tracer.buffers.values() if b.kind == "input"), key=lambda b: b.position)
        self.plan = Plan(self.nodes, buffers, outputs, checks)
        self.outside: Outside = self.plan.start(own)

    def array(self, view: View) -> np.ndarray:
        """The elements of a view now."""
        return self.plan.array(view, self.outside)


SMALL = 4096  # bytes: the numbers of an optimizer, say, which every call sets


@contextmanager
def _prepared(compiled: Compiled) -> Iterator[None]:
    """What the next call counts and sets before it runs, for as long as it is looked at."""
    done = []
    try:
        for prepare in compiled.tracer.each_call:
            prepare()
            done.append(prepare)
        yield
    finally:
        for prepare in reversed(done):
            prepare(by=-1)


def _copy(buffer: Buffer) -> Buffer:
    """Memory of its own with the same values, known by the same number."""
    copy = Buffer(buffer.kind, copied(buffer.owner))
    copy.number = buffer.number
    return copy


def copied(a: np.ndarray) -> np.ndarray:
    """The same values in the same layout, elsewhere."""
    low, high = View(Buffer("inside", a), 0, a.shape, a.strides, a.dtype).span
    result: np.ndarray = np.ndarray(a.shape, a.dtype, aligned(high - low), -low, a.strides)  # type: ignore[arg-type]
    result[...] = a
    return result


def _moved(node: Node, copies: dict[Buffer, Buffer]) -> Node:
    def moved(views: Sequence[View]) -> list[View]:
        return [v._replace(buffer=copies.get(v.buffer, v.buffer)) for v in views]

    return node.but(node.what, moved(node.reads), moved(node.writes))
