"""What is recorded of an operation, so that the chain rule can be applied to it later.

A `Node` keeps, for every input that needs a gradient, the edge on which that gradient leaves, and of the values only
those that the derivative rules mention. Whoever changes a kept value in place is found out by its version.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..tensor import Tensor, wrap

_serials = itertools.count()


class Spec(NamedTuple):
    """What a rule may know of an input whose values were not kept."""

    shape: tuple[int, ...]
    dtype: np.dtype
    device: Any

    @property
    def ndim(self) -> int:
        return len(self.shape)


# Where a gradient goes: to a node's output (number), or into a leaf tensor.
Edge = Any  # Node with one output | tuple[Node, int] | Tensor | None


class Node:
    """One recorded operation."""

    __slots__ = (
        "__weakref__",
        "edges",
        "hooks",
        "output",
        "params",
        "primitive",
        "saved",
        "serial",
        "shapes",
        "versions",
    )

    def __init__(self, primitive: Any, edges: Sequence[Edge], saved: Any, params: tuple[Any, ...]):
        self.primitive, self.edges, self.saved, self.params = primitive, edges, saved, params
        self.serial = next(_serials)
        self.output: Any = None
        self.versions: Any = ()
        self.hooks: Any = None
        self.shapes: Any = None

    def __repr__(self) -> str:
        return f"<{self.primitive.name} backward>"

    def free(self) -> None:
        """Let go of what was kept; a second backward through this node is then an error."""
        self.saved = self.output = None
        self.versions = self.params = ()


def now() -> int:
    """A serial number between those of the nodes that exist and those of the nodes to come."""
    return next(_serials)


def edge(tensor: Tensor) -> Edge:
    """Where the gradient of a tensor goes."""
    if not tensor.requires_grad:
        return None
    return tensor if tensor._node is None else (tensor._node, tensor._index)


def version_cell(tensor: Tensor) -> list[int]:
    """[number of in-place changes, number of the last recorded one], shared by a tensor and its views."""
    if tensor._cell is None:
        tensor._cell = [0, 0]
    return tensor._cell


def check_fresh(tensor: Tensor, name: str) -> None:
    """A view whose base has changed under autograd since it was taken has the new values but the old history (if any).

    RuntimeError then, also where the view itself does not require a gradient: its new values may.
    """
    if tensor._cell is not None and tensor._born < tensor._cell[1] and (tensor.requires_grad or tensor._view):
        raise RuntimeError(
            f"{name}: this view was taken before its base was changed in place, so its gradient would be wrong; "
            "take the view again after the change"
        )


def check_versions(node: Node) -> None:
    """What was kept must still be what it was."""
    if node.saved is None:
        raise RuntimeError(
            f"backward through {node.primitive.name} a second time: the values it needs were freed after the first. "
            "Call backward(retain_graph=True) the first time, or run the forward pass again"
        )
    for cell, version, what in node.versions:
        if cell[0] != version:
            name = "output" if what == "y" else f"input {what}" if isinstance(what, int) else what
            raise RuntimeError(
                f"{node.primitive.name}: its {name} was changed in place after it was used (version {cell[0]}, "
                f"expected {version}), so its gradient cannot be computed. Use an operation that makes a new tensor, "
                "or change a copy"
            )


def output_tensor(node: Node) -> Tensor:
    """The kept output as a tensor in its place in the graph."""
    data, device = node.output
    y = wrap(data, device)
    y.requires_grad, y._node = True, node
    return y
