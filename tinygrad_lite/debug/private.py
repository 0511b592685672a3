"""The plan of a call on memory of its own: running it changes no parameter, no state, and no argument."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from ..compiler.bind import steps
from ..compiler.compiled import Compiled
from ..compiler.graph import Buffer, Node, View, views
from ..compiler.memory import aligned
from ..compiler.passes import passes
from ..compiler.plan import Outside, Plan
from ..compiler.simplify import checks_first
from .lookup import Call


class Private:
    """A plan whose nodes are those after a pass, on copies of all memory that lives outside.

    outside: copies of its inputs, and room for its outputs.
    """

    def __init__(self, call: Call, compiled: Compiled, stage: str):
        nodes, outputs = compiled.tracer.nodes, compiled.plan.outputs
        with call.jitted._lock, _prepared(compiled):
            inputs = [x._data for x in call.tensors]
            inputs += [leaf._grad._data for leaf in compiled.tracer.gradients.values()]
            own = [copied(a) for a in inputs]
            copies = {b: _copy(b) for b in {v.buffer for v in views(nodes)} if b.kind == "outside"}
        checks, rest = checks_first([_moved(node, copies) for node in nodes])
        self.nodes = dict(passes(rest, {v.buffer for v in outputs}))[stage]
        buffers = sorted((b for b in compiled.tracer.buffers.values() if b.kind == "input"), key=lambda b: b.position)
        self.plan = Plan(self.nodes, buffers, outputs, checks)
        self.outside: Outside = self.plan.start(own)

    def steps(self) -> Iterator[tuple[Node, range]]:
        """Each node with the numbers of its steps in the plan's table, where those of checks come first."""
        counts = [len(steps(node, self.plan.stand_in)) for node in self.nodes]
        start = len(self.plan.table.todo) - sum(counts)
        for node, count in zip(self.nodes, counts, strict=True):
            yield node, range(start, start + count)
            start += count

    def array(self, view: View) -> np.ndarray:
        """The elements of a view now."""
        return self.plan.array(view, self.outside)


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
