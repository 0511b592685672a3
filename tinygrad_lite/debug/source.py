"""The Python text of the kernels that a node runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu import elementwise, matmul, matmul_then, reduce_kernels, row_totals, rows
from tinygrad_lite_kernels.expr import Program

from ..compiler.bind import BINDERS
from ..compiler.graph import Node, View
from ..compiler.plan import address, at


def source(node: Node) -> str:
    """The functions that Numba compiled for a node, outer ones first; of what runs through Python, the function."""
    native_kind = node.kind in BINDERS and node.device.name == "cpu"
    found = SOURCES[node.kind](node) if native_kind else _through_python(node)
    return "\n\n".join(text.rstrip() for text in dict.fromkeys(found) if text) + "\n"


def _elementwise(node: Node) -> Iterator[str]:
    yield _program(node.what, _arrays(node.writes), _arrays(node.reads))


def _matmul(node: Node) -> Iterator[str]:
    yield native.source_of(matmul.kernel)


def _matmul_then(node: Node) -> Iterator[str]:
    writes, inputs = _arrays(node.writes), _arrays(node.reads[2:])
    inputs.insert(node.what.at, np.empty(writes[0].shape, node.reads[0].dtype))
    yield native.source_of(matmul_then.kernel)
    yield from _matmul(node)
    yield _program(node.what.program, writes, inputs)


def _reduce(node: Node) -> Iterator[str]:
    """Rows are added along, columns side by side: the axis whose elements are neighbours says which."""
    view, axes = node.reads[0], node.what[1]
    steps = [(abs(s), -i) for i, s in enumerate(view.strides) if view.shape[i] > 1]
    along = not steps or -min(steps)[1] in axes
    yield native.source_of(reduce_kernels.rows_kernel if along else reduce_kernels.columns_kernel)


def _totals(node: Node) -> Iterator[str]:
    program, names, layout, _ = node.what
    dtypes = "".join(v.dtype.char for v in node.reads)
    yield native.source_of(row_totals.kernel_function(program, names, dtypes, layout.letters))


def _rows(node: Node) -> Iterator[str]:
    yield native.source_of(rows.kernel)
    for member in node.what.members:
        yield from SOURCES[member.kind](member)


def _check(node: Node) -> Iterator[str]:
    reads = _arrays(node.reads)
    yield _program(node.what.good, [np.empty(reads[0].shape, bool)], reads)
    yield native.source_of(reduce_kernels.rows_kernel)
    yield _text(node.what.function)


def _through_python(node: Node) -> Iterator[str]:
    """Of a call the kernel itself, of other kinds the function of the device's family."""
    what = node.what.function if node.kind in ("call", "check") else None
    yield _text(what or getattr(node.device.module(node.kind.split("_")[0]), node.kind.split("_")[0]))


def _program(program: Program, outputs: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> str:
    return native.source_of(elementwise.printed(program, outputs, inputs)) if outputs[0].size else ""


def _arrays(views: Sequence[View]) -> list[np.ndarray]:
    """Arrays of the layouts of views, over the memory that stood for them while tracing."""
    return [at(address(v.buffer.owner), v) for v in views]


def _text(function: Any) -> str:
    try:
        return inspect.getsource(inspect.unwrap(getattr(function, "func", function)))
    except (TypeError, OSError):  # NumPy's own, say
        return f"{function!r}"


SOURCES: dict[str, Callable[[Node], Iterator[str]]] = {
    "elementwise": _elementwise,
    "matmul": _matmul,
    "matmul_then": _matmul_then,
    "reduce": _reduce,
    "rows": _rows,
    "totals": _totals,
    "check": _check,
    "call": _through_python,
}
