"""The graph of a plan as a drawing: kernels, and the arguments, parameters and constants that they read."""

from __future__ import annotations

from collections.abc import Sequence

from ..compiler.graph import Node, View
from ..scalar.draw import to_dot, to_svg
from .names import Names
from .text import short


def dot(nodes: Sequence[Node], names: Names) -> str:
    """In the DOT language of Graphviz."""
    return to_dot(*_graph(nodes, names))


def svg(nodes: Sequence[Node], names: Names) -> str:
    """As a picture."""
    return to_svg(*_graph(nodes, names))


def _graph(nodes: Sequence[Node], names: Names) -> tuple[list[str], list[list[int]]]:
    """Labels, and for each the numbers of those whose results it reads."""
    operands: list[list[int]]
    labels, operands = [short(node, names) for node in nodes], [[] for _ in nodes]
    writers: dict[object, list[tuple[int, View]]] = {}
    sources: dict[str, int] = {}
    for i, node in enumerate(nodes):
        for view in dict.fromkeys(node.reads):
            makers = [k for k, other in writers.get(view.buffer, ()) if view.overlaps(other)]
            if not makers:
                name = names.view(view)
                if name not in sources:
                    sources[name] = len(labels)
                    labels.append(f"{name}: {view.dtype}{list(view.shape)}")
                    operands.append([])
                makers = [sources[name]]
            operands[i] += [k for k in makers[-1:] if k not in operands[i]]
        for view in node.writes:
            writers.setdefault(view.buffer, []).append((i, view))
    return (labels, operands) if labels else (["nothing to do"], [[]])
