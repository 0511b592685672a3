"""How much a node moves and computes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Program, step_dtypes

from ..compiler.graph import Node, View

FREE = {"input", "constant", "cast", "where"}  # steps of a program that are no arithmetic


def moved(node: Node) -> int:
    """Bytes that a node reads and writes: every operand once, what is repeated counted once."""
    return sum(size(v) for v in (*dict.fromkeys(node.reads), *dict.fromkeys(node.writes)))


def size(view: View) -> int:
    """Bytes of different elements."""
    steps = zip(view.shape, view.strides, strict=True)
    return math.prod(n for n, s in steps if s or not n) * view.dtype.itemsize


def flops(node: Node) -> int:
    """Floating-point operations: a multiply-add is two, a function such as exp is one; 0 for other kernels."""
    return FLOPS.get(node.kind, lambda node: 0)(node)


def _elementwise(node: Node) -> int:
    return _of_program(node.what, [v.dtype for v in node.reads]) * math.prod(node.writes[0].shape)


def _of_program(program: Program, dtypes: Sequence[np.dtype]) -> int:
    kinds = step_dtypes(program, dtypes)
    return sum(step.op not in FREE and kind.kind == "f" for step, kind in zip(program.steps, kinds, strict=True))


def _product(elements: int, a: View) -> int:
    return 2 * elements * a.shape[-1] if a.dtype.kind == "f" else 0


def _matmul(node: Node) -> int:
    return _product(math.prod(node.writes[0].shape), node.reads[0])


def _matmul_then(node: Node) -> int:
    a, _, *others = node.reads
    dtypes = [v.dtype for v in others]
    dtypes.insert(node.what.at, a.dtype)
    elements = math.prod(node.writes[0].shape)
    return _product(elements, a) + _of_program(node.what.program, dtypes) * elements


def _reduce(node: Node) -> int:
    source, result = node.reads[0], node.writes[0]
    return max(0, math.prod(source.shape) - math.prod(result.shape)) if result.dtype.kind == "f" else 0


def _totals(node: Node) -> int:
    """Those of the program, and one for each element of what is reduced."""
    program, names, layout, count = node.what
    reduced = sum(map(bool, names))
    return (_of_program(program, [v.dtype for v in node.reads]) + reduced) * layout.size * count - reduced * count


def _rows(node: Node) -> int:
    return sum(map(flops, node.what.members))


FLOPS: dict[str, Callable[[Any], int]] = {
    "elementwise": _elementwise,
    "matmul": _matmul,
    "matmul_then": _matmul_then,
    "reduce": _reduce,
    "rows": _rows,
    "totals": _totals,
}
