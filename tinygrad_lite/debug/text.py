"""Nodes of a graph as lines of text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tinygrad_lite_kernels.expr import Program, inputs, to_text

from ..compiler.graph import Node
from ..compiler.programs import expressions
from .names import Names

WIDTH, SHORT = 120, 72  # characters of an expression, and of a line in a table


def lines(nodes: Iterable[Node], names: Names) -> Iterator[str]:
    """A line for each node; those inside of a group are indented."""
    for node in nodes:
        yield line(node, names)
        if node.kind == "rows":
            yield from (f"    {text}" for text in lines(node.what.members, names))


def line(node: Node, names: Names) -> str:
    """What a node writes, and how it comes about."""
    written = ", ".join(f"{names.view(v)}: {v.dtype}{list(v.shape)}" for v in node.writes)
    return f"{written} = {operation(node, names)}" if written else operation(node, names)


def short(node: Node, names: Names) -> str:
    """The same without shapes, no longer than fits into a table."""
    text = f"{', '.join(names.view(v) for v in node.writes)} = {operation(node, names)}"
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."


def operation(node: Node, names: Names) -> str:
    """What a node computes, in the notation of a formula where it has one."""
    return OPERATIONS[node.kind](node.what, [names.view(v) for v in node.reads], node)


def _elementwise(what: Program, reads: list[str], node: Node) -> str:
    return formula(what, reads)


def _matmul(adds: bool, reads: list[str], node: Node) -> str:
    return f"{reads[2]} + {reads[0]} @ {reads[1]}" if adds else f"{reads[0]} @ {reads[1]}"


def _matmul_then(what: Any, reads: list[str], node: Node) -> str:
    others = [*reads[2:]]
    others.insert(what.at, f"({reads[0]} @ {reads[1]})")
    return formula(what.program, others)


def _reduce(what: Any, reads: list[str], node: Node) -> str:
    name, axes, keepdims = what
    return f"{name}({reads[0]}, axis={axes}{', keepdims=True' if keepdims else ''})"


def _call(what: Any, reads: list[str], node: Node) -> str:
    return f"{what.name}({', '.join(reads)})"


def _check(what: Any, reads: list[str], node: Node) -> str:
    return f"check {what.name}: {formula(what.good, reads)}"


def _totals(what: Any, reads: list[str], node: Node) -> str:
    parts = (Program(what.program.steps, (i,), what.program.input_count) for i in what.program.outputs)
    texts = zip(what.reductions, (formula(p, reads) for p in parts), strict=True)
    return ", ".join(f"{name} of rows of {text}" if name else text for name, text in texts)


def _rows(what: Any, reads: list[str], node: Node) -> str:
    return f"{len(what.members)} passes over {what.number} rows"


OPERATIONS: dict[str, Callable[[Any, list[str], Node], str]] = {
    "elementwise": _elementwise,
    "matmul": _matmul,
    "matmul_then": _matmul_then,
    "reduce": _reduce,
    "call": _call,
    "check": _check,
    "rows": _rows,
    "totals": _totals,
}


def formula(program: Program, names: Sequence[str]) -> str:
    """The outputs of a program, with names for its inputs; of a long one only what it takes and how much it does."""
    found = expressions(program, inputs(program.input_count))
    text = ", ".join(_named(to_text(x, 4 * WIDTH), names) for x in found)
    if len(text) <= WIDTH:
        return text
    count = sum(step.op not in ("input", "constant") for step in program.steps)
    taken = ", ".join(dict.fromkeys(name.partition("[")[0] for name in names))
    return f"{count} operations on {taken if len(taken) <= WIDTH else taken[: WIDTH - 3] + '...'}"


def _named(text: str, names: Sequence[str]) -> str:
    return re.sub(r"\bx(\d+)\b", lambda match: names[int(match[1])], text)
