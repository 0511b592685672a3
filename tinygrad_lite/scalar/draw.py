"""Pictures of a graph of Values, or of a traced expression: DOT, SVG, and text."""

from __future__ import annotations

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


def _nodes(root: Any) -> list[Any]:
    """Every node once, the root first."""
    found, seen = [root], {id(root)}
    for node in found:
        for parent in _parents(node):
            if id(parent) not in seen:
                seen.add(id(parent))
                found.append(parent)
    return found


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
    nodes = _nodes(root)
    number = {id(n): i for i, n in enumerate(nodes)}
    lines = [f'  n{i} [label="{_label(n)}"];' for i, n in enumerate(nodes)]
    lines += [f"  n{number[id(p)]} -> n{i};" for i, n in enumerate(nodes) for p in _parents(n)]
    return "\n".join(["digraph {", "  rankdir=LR; node [shape=record];", *lines, "}"])


def svg(root: Value | Expr) -> str:
    """The graph as SVG, by the package graphviz and its program `dot` (RuntimeError where they are missing)."""
    try:
        import graphviz

        return graphviz.Source(dot(root)).pipe(format="svg").decode()
    except ImportError:
        raise RuntimeError("svg: the package graphviz is missing; pip install graphviz, or use dot(...)") from None
    except graphviz.ExecutableNotFound:
        raise RuntimeError("svg: Graphviz's program `dot` is missing; install Graphviz, or use dot(...)") from None


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
