"""Checkpointing: forget what a part of the computation has saved, and compute it again when it is needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..autograd.graph import Node, edge, now, version_cell
from ..autograd.modes import enable_grad, is_grad_enabled
from ..autograd.sweep import arriving
from ..ops.random import default_generator
from ..tensor import Tensor, alias
from .tree import flatten


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f` with less memory and more work: nothing inside is kept for backward, which runs `f` a second time.

    f: of any arguments; returns a tensor or a nest of tensors, and must compute the same in both runs. It sees the
    same random numbers again. Tensors that it finds outside its arguments (parameters, say) get their gradients too.
    Costs one more forward pass. Raises RuntimeError in backward where the second run gives other shapes.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> tg.func.checkpoint(lambda x: x * x * x)(x).sum().backward()
    >>> x.grad
    Tensor([ 3., 12.])
    """

    @functools.wraps(f)
    def run(*args: Any, **options: Any) -> Any:
        segment = _Segment(functools.partial(f, **options) if options else f)
        since = now()
        result = segment.f(*args)
        leaves, rebuild = flatten(result)
        edges = _edges_outside(leaves, since) if is_grad_enabled() else []
        return rebuild(segment.record(args, leaves, edges, since)) if edges else result

    return run


class _Segment:
    """The part of the computation between its arguments and its outputs, as one operation."""

    def __init__(self, f: Callable[..., Any]):
        self.f, self.name = f, getattr(f, "__name__", "checkpoint")
        self.random = default_generator.get_state()
        self.shapes: list[Any] = []

    def again(self, *args: Any) -> Any:
        """The second run, with the random numbers of the first."""
        later = default_generator.get_state()
        default_generator.set_state(self.random)
        try:
            with enable_grad():
                return self.f(*args)
        finally:
            default_generator.set_state(later)

    def output_count(self, node: Node) -> int:
        return len(self.shapes)

    def record(self, args: Sequence[Any], leaves: Sequence[Any], edges: Sequence[Any], since: int) -> list[Any]:
        """The outputs as those of one node, which leads to `edges`; the graph that made them is let go."""
        node = Node(self, edges, args, ())
        kept = [x for x in [*flatten(list(args))[0], *edges] if isinstance(x, Tensor)]
        node.versions = [(cell := version_cell(x), cell[0], i) for i, x in enumerate(kept)]
        self.shapes = [_shape(y) for y in leaves]
        return [self._output(y, node, i) if _is_inside(y, since) else y for i, y in enumerate(leaves)]

    def _output(self, y: Tensor, node: Node, index: int) -> Tensor:
        output = alias(y)
        output._node, output._index = node, index
        return output

    def backward(self, node: Node, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        create, since = is_grad_enabled(), now()
        leaves = flatten(self.again(*node.saved))[0]
        if [_shape(y) for y in leaves] != self.shapes:
            raise RuntimeError(
                f"checkpoint: the second run of {self.name} gave outputs of other shapes than the first; "
                "a checkpointed function must compute the same each time"
            )
        pairs = [(y, g) for y, g in zip(leaves, gradients, strict=True) if g is not None and _is_inside(y, since)]
        arrived = arriving([y for y, _ in pairs], [g for _, g in pairs], since, create, create)
        return [arrived(e) for e in node.edges]


def _shape(y: Any) -> Any:
    return y.shape if isinstance(y, Tensor) else None


def _is_inside(y: Any, since: int) -> bool:
    return isinstance(y, Tensor) and y._node is not None and y._node.serial > since


def _edges_outside(leaves: Sequence[Any], since: int) -> list[Any]:
    """The edges that lead out of the graph made after `since`, each once."""
    work = [edge(y) for y in leaves if _is_inside(y, since)]
    seen: set[Any] = set()
    outside: dict[Any, Any] = {}
    while work:
        target = work.pop()
        if isinstance(target, Tensor):
            outside[id(target)] = target
        elif target is not None and target[0].serial < since:
            outside[target] = target
        elif target is not None and target[0] not in seen:
            seen.add(target[0])
            work.extend(target[0].edges)
    return list(outside.values())
