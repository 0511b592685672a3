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
    Costs one more forward pass. Raises RuntimeError where it changes an argument in place, and in backward where the
    second run gives other shapes.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> tg.func.checkpoint(lambda x: x * x * x)(x).sum().backward()
    >>> x.grad
    Tensor([ 3., 12.])
    """

    @functools.wraps(f)
    def run(*args: Any, **options: Any) -> Any:
        segment = _Segment(functools.partial(f, **options) if options else f, args)
        result = segment.f(*args)
        leaves, rebuild = flatten(result)
        segment.inside.follow(leaves if is_grad_enabled() else [])
        return rebuild(segment.record(args, leaves)) if segment.inside.edges else result

    return run


class _Inside:
    """The graph of one run. edges: those that lead out of it, by key. versions: of the values that it has saved."""

    def __init__(self) -> None:
        self.since = now()
        self.edges: dict[Any, Any] = {}
        self.versions: list[Any] = []

    def __contains__(self, y: Any) -> bool:
        return isinstance(y, Tensor) and y._node is not None and y._node.serial > self.since

    def follow(self, leaves: Sequence[Any]) -> None:
        """Go back from the outputs."""
        work = [edge(y) for y in leaves if y in self]
        seen: set[Any] = set()
        while work:
            target = work.pop()
            if isinstance(target, Tensor):
                self.edges[id(target)] = target
            elif target is not None and target[0].serial < self.since:
                self.edges[target] = target
            elif target is not None and target[0] not in seen:
                seen.add(target[0])
                self.versions += [(cell, version, "tensor used inside") for cell, version, _ in target[0].versions]
                work.extend(target[0].edges)


class _Segment:
    """The part of the computation between its arguments and its outputs, as one operation."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any]):
        self.f, self.name = f, getattr(f, "__name__", "checkpoint")
        self.random = default_generator.get_state()
        self.versions = _versions(args)
        self.shapes: list[Any] = []
        self.inside = _Inside()

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

    def record(self, args: Sequence[Any], leaves: Sequence[Any]) -> list[Any]:
        """The outputs as those of one node, which leads to what is outside; the graph that made them is let go."""
        versions = _versions(args)
        if [v for _, v, _ in versions] != [v for _, v, _ in self.versions]:
            raise RuntimeError(
                f"checkpoint: {self.name} changes an argument in place, so its second run would start from other "
                "values; let it make a new tensor, or change a copy"
            )
        node = Node(self, list(self.inside.edges.values()), args, ())
        node.versions = versions + self.inside.versions
        self.shapes = [_shape(y) for y in leaves]
        return [self._output(y, node, i) if y in self.inside else y for i, y in enumerate(leaves)]

    def _output(self, y: Tensor, node: Node, index: int) -> Tensor:
        output = alias(y)
        output._node, output._index = node, index
        return output

    def backward(self, node: Node, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        create, inside = is_grad_enabled(), _Inside()
        leaves = flatten(self.again(*node.saved))[0]
        inside.follow(leaves)
        if [_shape(y) for y in leaves] != self.shapes or inside.edges.keys() != self.inside.edges.keys():
            raise RuntimeError(
                f"checkpoint: the second run of {self.name} gave outputs of other shapes than the first, or from other "
                "tensors; a checkpointed function must compute the same each time"
            )
        pairs = [(y, g) for y, g in zip(leaves, gradients, strict=True) if g is not None and y in inside]
        arrived = arriving([y for y, _ in pairs], [g for _, g in pairs], inside.since, create, create)
        return [arrived(e) for e in node.edges]


def _versions(args: Sequence[Any]) -> list[Any]:
    """Of the tensors in the arguments."""
    tensors = [x for x in flatten(list(args))[0] if isinstance(x, Tensor)]
    return [(cell := version_cell(x), cell[0], i) for i, x in enumerate(tensors)]


def _shape(y: Any) -> Any:
    return y.shape if isinstance(y, Tensor) else None
