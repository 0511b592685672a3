"""From a node to steps: launches of kernels, or functions that run through Python, with the arrays that they take."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from tinygrad_lite_kernels import threads
from tinygrad_lite_kernels.cpu import elementwise, matmul, matmul_then, random, reduce, row_totals, rows

from .graph import Buffer, Node, Slot, View, replaced

Operand = View | np.ndarray  # of the graph, or memory of the step's own


class Step(NamedTuple):
    """Something to run on operands, in this order."""

    run: threads.Step
    operands: list[Operand]


def steps(node: Node, array: Callable[[View], np.ndarray]) -> list[Step]:
    """What to run for a node. `array` gives an array of a view's layout, whose elements are not looked at."""
    binder = BINDERS.get(node.kind) if node.device.name == "cpu" else None
    found = binder(node, [array(v) for v in node.writes], [array(v) for v in node.reads]) if binder else None
    return found or [Step(threads.Function(python_function(node)), [*node.writes, *node.reads])]


def _elementwise(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step]:
    return [Step(elementwise.bind(node.what, writes, reads), [*node.writes, *node.reads])]


def _matmul(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step] | None:
    step = matmul.bind(reads[0], reads[1], node.what) if writes[0].flags.c_contiguous else None
    return [Step(step, [*node.writes, *node.reads[:2]])] if step else None


def _matmul_then(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step] | None:
    product = np.empty(writes[0].shape, reads[0].dtype)
    inputs = [*reads[2:]]
    inputs.insert(node.what.at, product)
    step = matmul_then.bind(reads[0], reads[1], node.what.program, writes, inputs, node.what.at)
    return [Step(step, [*node.reads[:2], *node.writes, *node.reads[2:]])] if step else None


def _reduce(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step] | None:
    plan = reduce.bind(node.what[0], reads[0], *node.what[1:])
    if plan.order is not None or not writes[0].flags.c_contiguous:
        return None
    between: list[Operand] = [np.empty(shape, dtype) for _, shape, dtype in plan.steps[:-1]]
    places = [node.reads[0], *between, node.writes[0]]
    return [Step(step, [places[i + 1], places[i]]) for i, (step, _, _) in enumerate(plan.steps)]


def _totals(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step]:
    dtypes = "".join(v.dtype.char for v in node.reads)
    program, names, layout, count = node.what
    return [Step(row_totals.bind(program, names, dtypes, layout, count), [*node.writes, *node.reads])]


ROW_BYTES = 1 << 15  # of a block of rows: small, so that little is asked for ahead at a time, and all stays in cache


def _rows(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step] | None:
    """Passes over blocks of rows; None where a member is more than one kernel."""
    (members, count, own), outside = node.what, [*node.writes, *node.reads]
    widths = {v: _row_bytes(v, count) for n in members for v in (*n.writes, *n.reads)}
    block = min(count, max(1, ROW_BYTES // max(1, sum(widths.values()))))
    places = dict(zip(own, accumulate((_room(b, count, block) for b in own), initial=0), strict=False))
    given = dict(zip(outside, [*writes, *reads], strict=True)) | {
        v: np.empty(v.shape, v.dtype) for v in widths if v.buffer in places
    }
    passes = []
    for member in members:
        found = BINDERS[member.kind](member, [given[v] for v in member.writes], [given[v] for v in member.reads])
        if not found or len(found) > 1 or not isinstance(found[0].run, threads.Launch):
            return None
        operands = [
            rows.Scratch(places[v.buffer], v.buffer.size // count) if v.buffer in places else outside.index(v)
            for v in found[0].operands
            if isinstance(v, View)
        ]
        passes.append(rows.Pass(found[0].run, found[0].run.size // count, operands))
    scratch = sum(_room(b, count, block) for b in own)
    ahead = [(i, widths[v]) for i, v in enumerate(outside) if widths[v] >= rows.LINE]
    return [Step(rows.bind(passes, count, block, scratch, sum(widths.values()), ahead), [*outside])]


def _row_bytes(view: View, count: int) -> int:
    """What a row takes of a view; nothing where all rows read the same."""
    return math.prod(view.shape) * view.dtype.itemsize // count


def _room(buffer: Buffer, count: int, block: int) -> int:
    return -(-buffer.size // count * block // 64) * 64


class Test(threads.Function):
    """A function that raises; it is called where `passed` (a truth value, 0-d) says that something is wrong."""

    __slots__ = ("passed",)

    def __init__(self, passed: np.ndarray, run: Callable[..., None]):
        super().__init__(run)
        self.passed = passed


def _check(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step]:
    good, passed = np.empty(reads[0].shape, bool), np.empty((), bool)
    first = elementwise.bind(node.what.good, [good], reads)
    second = reduce.bind("all", good, tuple(range(good.ndim)), False)
    between = [np.empty(shape, dtype) for _, shape, dtype in second.steps[:-1]]
    places = [good, *between, passed]
    found = [Step(first, [good, *node.reads])]
    found += [Step(step, [places[i + 1], places[i]]) for i, (step, _, _) in enumerate(second.steps)]
    return [*found, Step(Test(passed, node.what.function), [*node.reads])]


def _call(node: Node, writes: list[np.ndarray], reads: list[np.ndarray]) -> list[Step] | None:
    binder = CALLS.get(node.what.function)
    return binder(node, writes) if binder else None


def _uniform(node: Node, writes: list[np.ndarray]) -> list[Step]:
    state, numbers = node.writes
    draw, advance = random.bind_uniform(writes[1].size, writes[1].dtype)
    return [Step(draw, [numbers, state]), Step(advance, [state])]


CALLS: dict[Callable[..., Any], Callable[[Node, list[np.ndarray]], list[Step]]] = {random.uniform: _uniform}

BINDERS: dict[str, Callable[[Node, list[np.ndarray], list[np.ndarray]], list[Step] | None]] = {
    "elementwise": _elementwise,
    "matmul": _matmul,
    "matmul_then": _matmul_then,
    "reduce": _reduce,
    "call": _call,
    "check": _check,
    "rows": _rows,
    "totals": _totals,
}


# ---- through Python ----


def python_function(node: Node) -> Callable[..., None]:
    """A function of the arrays that the node writes and then those that it reads."""
    return PYTHON[node.kind](node, len(node.writes))


def _python_elementwise(node: Node, count: int) -> Callable[..., None]:
    return node.device.module("elementwise").elementwise_into(node.what)


def _python_matmul(node: Node, count: int) -> Callable[..., None]:
    matmul = node.device.module("matmul").matmul
    return lambda out, a, b, *_: matmul(a, b, out, node.what)


def _python_matmul_then(node: Node, count: int) -> Callable[..., None]:
    matmul = node.device.module("matmul").matmul
    then = node.device.module("elementwise").elementwise_into(node.what.program)

    def run(*arrays: np.ndarray) -> None:
        inputs = [*arrays[count + 2 :]]
        inputs.insert(node.what.at, matmul(*arrays[count : count + 2]))
        then(*arrays[:count], *inputs)

    return run


def _python_reduce(node: Node, count: int) -> Callable[..., None]:
    kernel, (name, axes, keepdims) = node.device.module("reduce").reduce, node.what
    return lambda out, a: np.copyto(out, kernel(name, a, axes, keepdims))


def _python_call(node: Node, count: int) -> Callable[..., None]:
    call, start = node.what, len(node.what.in_place)

    def run(*arrays: np.ndarray) -> None:
        arguments = replaced(call.arguments, Slot, lambda slot: arrays[count + slot.number])
        found = call.function(*arguments, **call.options)
        for out, value in zip(arrays[start:count], _arrays(found), strict=True):
            np.copyto(out, value)

    return run


def _arrays(found: Any) -> Sequence[np.ndarray]:
    listed: list[np.ndarray] = []
    replaced(found, np.ndarray, listed.append)
    return listed


PYTHON: dict[str, Callable[[Node, int], Callable[..., None]]] = {
    "elementwise": _python_elementwise,
    "matmul": _python_matmul,
    "matmul_then": _python_matmul_then,
    "reduce": _python_reduce,
    "call": _python_call,
    "check": lambda node, count: node.what.function,
}
