"""Pictures of a graph of Values, or of a traced expression: DOT, SVG, and text."""

from __future__ import annotations

from graphlib import TopologicalSorter
from html import escape
from itertools import groupby
from typing import Any

from tinygrad_lite_kernels.expr import Expr

from .value import Value


def _parents(node: Any) -> tuple[Any, ...]:
    return node.args if isinstance(node, Expr) else node.parents


def _label(node: Any) -> str:
    if isinstance(node, Expr):
        named = {"input": f"x{node.value}", "constant": repr(node.value)}
        return named.get(node.op, node.op)
    grad = node.grad.data if isinstance(node.grad, Value) else node.grad
    return f"{node.op or 'leaf'} | data {node.data:.4g} | grad {grad:.4g}"


def _graph(root: Any) -> tuple[list[str], list[list[int]]]:
    """Every node once, the root first: their labels, and the numbers of each one's operands."""
    nodes, number = [root], {id(root): 0}
    for node in nodes:
        for parent in _parents(node):
            if number.setdefault(id(parent), len(nodes)) == len(nodes):
                nodes.append(parent)
    return [_label(n) for n in nodes], [[number[id(p)] for p in _parents(n)] for n in nodes]


_ESCAPES = {ord(c): f"\\{c}" for c in '"\\{}<>'}  # what means something in the label of a record


def dot(root: Value | Expr) -> str:
    """The graph in the DOT language of Graphviz, operands left of what is computed from them.

    >>> x = Value(2.0)
    >>> print(dot(x * x))
    digraph {
      rankdir=LR; node [shape=record];
      n0 [label="multiply | data 4 | grad 0"];
      n1 [label="leaf | data 2 | grad 0"];
      n1 -> n0;
      n1 -> n0;
    }
    """
    return to_dot(*_graph(root))


def to_dot(labels: list[str], operands: list[list[int]]) -> str:
    """Any graph in the DOT language, given every node's label and the numbers of its operands."""
    escaped = (label.translate(_ESCAPES) for label in labels)
    lines = [f'  n{i} [label="{label}"];' for i, label in enumerate(escaped)]
    lines += [f"  n{p} -> n{i};" for i, ps in enumerate(operands) for p in ps]
    return "\n".join(["digraph {", "  rankdir=LR; node [shape=record];", *lines, "}"])


def _places(operands: list[list[int]]) -> list[tuple[int, float]]:
    """Column and row of every node: operands left of their users, and near them; columns count from the root."""
    order = [*TopologicalSorter(dict(enumerate(operands))).static_order()][::-1]
    column, row = [0] * len(order), [0.0] * len(order)
    users: list[list[int]] = [[] for _ in order]
    for i in order:
        for p in operands[i]:
            column[p] = max(column[p], column[i] + 1)
            users[p].append(i)
    by_column = sorted(order, key=column.__getitem__)
    for _, group in groupby(by_column, key=column.__getitem__):
        near = sorted(group, key=lambda i: sum(row[u] for u in users[i]) / max(1, len(users[i])))
        for place, i in enumerate(near):
            row[i] = place - (len(near) - 1) / 2
    return list(zip(column, row, strict=True))


_NODE = """<rect x="{x}" y="{y}" width="{width}" height="24" fill="white" stroke="black"/>
<text x="{middle}" y="{base}" text-anchor="middle">{label}</text>"""
_EDGE = '<path d="M{x} {y}C{middle} {y} {middle} {to} {end} {to}" fill="none" stroke="gray"/>'
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" font-family="monospace" font-size="12">'
_GAP, _LINE = 40, 34


def svg(root: Value | Expr) -> str:
    """The graph as a picture for a file or a notebook, operands left of what is computed from them.

    >>> x = Value(2.0)
    >>> svg(x * x).count("<rect")
    2
    """
    return to_svg(*_graph(root))


def to_svg(labels: list[str], operands: list[list[int]]) -> str:
    """Any graph as a picture, given every node's label and the numbers of its operands."""
    places = _places(operands)
    width = 8 * max(map(len, labels)) + 10
    last, top = max(c for c, _ in places), min(r for _, r in places)
    corners = [((last - c) * (width + _GAP) + 5, (r - top) * _LINE + 5) for c, r in places]
    edges = [(corners[p], corners[i]) for i, ps in enumerate(operands) for p in ps]
    parts = [_SVG.format(w=(last + 1) * (width + _GAP) - _GAP + 10, h=(1 - 2 * top) * _LINE)]
    parts += [_EDGE.format(x=x + width, y=y + 12, middle=(x + width + end) / 2, end=end, to=to + 12)
              for (x, y), (end, to) in edges]  # fmt: skip
    parts += [_NODE.format(x=x, y=y, width=width, middle=x + width / 2, base=y + 16, label=escape(label))
              for (x, y), label in zip(corners, labels, strict=True)]  # fmt: skip
    return "\n".join([*parts, "</svg>"])


def tree(root: Value | Expr, limit: int = 200) -> str:
    """The graph as indented text, the result first; what was shown before is only named again. At most `limit` lines.

    >>> x = Value(2.0)
    >>> print(tree(x * x))
    multiply | data 4 | grad 0
      leaf | data 2 | grad 0
      leaf | data 2 | grad 0
    """
    lines: list[str] = []
    shown: set[int] = set()
    work = [(root, 0)]
    while work and len(lines) < limit:
        node, depth = work.pop()
        again = id(node) in shown and bool(_parents(node))
        shown.add(id(node))
        lines.append("  " * depth + _label(node) + (" (see above)" if again else ""))
        if not again:
            work.extend((p, depth + 1) for p in reversed(_parents(node)))
    return "\n".join(lines + (["..."] if work else []))
