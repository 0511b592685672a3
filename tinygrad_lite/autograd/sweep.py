"""The backward sweep: nodes in reverse order of their making, each handing gradients to those before it."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..devices import tracing
from ..tensor import Tensor
from .graph import Node, check_versions, edge
from .modes import set_grad_enabled


def add(a: Tensor, b: Tensor) -> Tensor:
    """The sum of two gradients. Operations come above the graph, so they put the real one here."""
    raise NotImplementedError


def copy(x: Tensor) -> Tensor:
    """A gradient in memory of its own; put here in the same way."""
    raise NotImplementedError


def accumulated(a: Tensor, b: Tensor) -> Tensor:
    """The sum of what two users of a tensor ask for."""
    return add(a, b) if tracing.tracer is None else tracing.tracer.accumulated(add, a, b)


class _Sweep:
    """Gradients on their way. A node runs when all that come after it have run: its serial number is the largest."""

    def __init__(self, wanted: Iterable[Any] = ()):
        self.at_node: dict[Node, list[Tensor | None]] = {}
        self.at_leaf: dict[int, tuple[Tensor, Tensor]] = {}
        self.queue: list[tuple[int, Node]] = []
        self.wanted = {w if isinstance(w, tuple) else id(w) for w in wanted}
        self.found: dict[Any, Tensor] = {}
        self.shared: set[int] = set()  # ids of arrays that somebody outside may have: seeds, and what hooks saw

    def give(self, target: Any, gradient: Tensor) -> None:
        if isinstance(target, Tensor):
            known = self.at_leaf.get(id(target))
            total = gradient if known is None else accumulated(known[1], gradient)
            self.at_leaf[id(target)] = target, total
            return
        node, index = target
        slots = self.at_node.get(node)
        if slots is None:
            slots = self.at_node[node] = [None] * node.primitive.output_count(node)
            heapq.heappush(self.queue, (-node.serial, node))
        before = slots[index]
        slots[index] = gradient if before is None else accumulated(before, gradient)

    def run(self, retain_graph: bool, since: int = -1) -> None:
        while self.queue and -self.queue[0][0] > since:
            node = heapq.heappop(self.queue)[1]
            gradients = self.at_node.pop(node)
            self._hooks_and_wanted(node, gradients)
            check_versions(node)
            for target, gradient in zip(node.edges, node.primitive.backward(node, gradients), strict=True):
                if target is not None and gradient is not None:
                    self.give(target, gradient)
            if not retain_graph:
                node.free()

    def _hooks_and_wanted(self, node: Node, gradients: list[Tensor | None]) -> None:
        for index, hook in tuple(node.hooks or ()):
            if gradients[index] is not None:
                gradients[index] = self._hooked(hook, gradients[index])
        if self.wanted:
            for index, gradient in enumerate(gradients):
                if (node, index) in self.wanted and gradient is not None:
                    self.found[node, index] = gradient

    def leaf_hooks(self) -> None:
        """Those of the leaves that are asked for, once their gradients are complete."""
        for key, (leaf, gradient) in self.at_leaf.items():
            if not self.wanted or key in self.wanted:
                for _, hook in tuple(leaf._hooks or ()):
                    gradient = self._hooked(hook, gradient)
                self.at_leaf[key] = leaf, gradient

    def _hooked(self, hook: Callable[[Tensor], Tensor | None], gradient: Any) -> Tensor:
        self.shared.add(id(gradient._data))
        changed = hook(gradient)
        if changed is None:
            return gradient
        if not isinstance(changed, Tensor) or changed.shape != gradient.shape or changed.dtype != gradient.dtype:
            wanted = f"a tensor of shape {gradient.shape} and dtype {gradient.dtype}"
            raise TypeError(f"hook: must return None or {wanted}, got {changed!r}")
        self.shared.add(id(changed._data))
        return changed

    def own(self, gradient: Tensor) -> Tensor:
        """The gradient, as a copy where something else has its memory: each can be changed in place alone."""
        data = gradient._data
        if tracing.tracer is not None:
            return gradient
        if data.base is not None or id(data) in self.shared or not data.flags.writeable:
            return copy(gradient)
        self.shared.add(id(data))
        return gradient


def _sweep(
    outputs: Sequence[Tensor], gradients: Sequence[Tensor], wanted: Sequence[Any], retain: bool, create: bool
) -> _Sweep:
    sweep = _Sweep(wanted)
    sweep.shared.update(id(g._data) for g in gradients)
    with set_grad_enabled(create):
        for output, gradient in zip(outputs, gradients, strict=True):
            sweep.give(edge(output), gradient)
        sweep.run(retain)
        sweep.leaf_hooks()
    return sweep


def backward(
    tensor: Tensor, gradient: Tensor | None = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add the gradient of `tensor` to the `.grad` of every leaf that it was computed from.

    gradient: of the same shape; may be left out for a tensor with one element (then it is 1).
    retain_graph: keep what the graph has saved, so that backward can run again (default: create_graph).
    create_graph: record the sweep itself, so that gradients can be differentiated again.
    Raises RuntimeError where nothing requires a gradient, or the graph was freed, or a saved value was changed.
    """
    seed = _seed(tensor, gradient, "backward")
    sweep = _sweep([tensor], [seed], (), create_graph if retain_graph is None else retain_graph, create_graph)
    with set_grad_enabled(create_graph):
        for leaf, total in sweep.at_leaf.values():
            leaf.grad = sweep.own(total) if leaf.grad is None else add(leaf.grad, total)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """The gradients of the outputs (summed) with respect to the inputs, without touching any `.grad`.

    grad_outputs: one gradient for each output, None for 1. Inputs may be leaves or results of recorded operations.
    allow_unused: give None for an input that the outputs do not depend on, instead of an error.

    >>> import tinygrad_lite as tg
    >>> x = tg.tensor(3.0, requires_grad=True)
    >>> tg.autograd.grad(x * x, x)
    (Tensor(6.),)
    """
    outs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    ins = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    seeds = [None] * len(outs) if grad_outputs is None else grad_outputs
    seeds = [seeds] if isinstance(seeds, Tensor) else list(seeds)
    if len(seeds) != len(outs):
        raise ValueError(f"grad: there are {len(outs)} outputs, but {len(seeds)} gradients of them")
    pairs = [(o, _seed(o, s, "grad")) for o, s in zip(outs, seeds, strict=True)]
    targets = [_target(x) for x in ins]
    retain = create_graph if retain_graph is None else retain_graph
    sweep = _sweep([o for o, _ in pairs], [s for _, s in pairs], targets, retain, create_graph)
    with set_grad_enabled(create_graph):
        found = [_found(sweep, x, t) for x, t in zip(ins, targets, strict=True)]
    if not allow_unused and any(g is None for g in found):
        position = next(i for i, g in enumerate(found) if g is None)
        raise RuntimeError(
            f"grad: the outputs do not depend on input {position} (or it was detached on the way); "
            "pass allow_unused=True to get None for it"
        )
    return tuple(found)


def arriving(
    outputs: Sequence[Tensor], gradients: Sequence[Tensor], since: int, retain_graph: bool, create_graph: bool
) -> Callable[[Any], Tensor | None]:
    """Go back only through nodes made after `since`; tells what arrives at an edge to a leaf or to an older node."""
    sweep = _Sweep()
    with set_grad_enabled(create_graph):
        for output, gradient in zip(outputs, gradients, strict=True):
            sweep.give(edge(output), gradient)
        sweep.run(retain_graph, since)

    def at(target: Any) -> Tensor | None:
        if isinstance(target, Tensor):
            return sweep.at_leaf.get(id(target), (target, None))[1]
        node, index = target
        return sweep.at_node[node][index] if node in sweep.at_node else None

    return at


def _target(x: Tensor) -> Any:
    if not x.requires_grad:
        raise RuntimeError("grad: an input does not require a gradient; call .requires_grad_() on it before it is used")
    return edge(x)


def _found(sweep: _Sweep, x: Tensor, target: Any) -> Tensor | None:
    found = sweep.at_leaf.get(id(x), (x, None))[1] if target is x else sweep.found.get(target)
    return None if found is None else sweep.own(found)


def _seed(tensor: Tensor, gradient: Any, name: str) -> Tensor:
    """The gradient to start from."""
    if not tensor.requires_grad:
        raise RuntimeError(
            f"{name}: this tensor does not require a gradient: none of the tensors it was computed from does, or they "
            "were used inside no_grad() or after detach(), or it came out of a jitted function (call backward inside)"
        )
    if gradient is None:
        if tensor.size != 1:
            raise RuntimeError(
                f"{name}: a gradient can be left out only for a tensor with one element, this one has shape "
                f"{tensor.shape}; reduce it with .sum() or .mean(), or pass a gradient of that shape"
            )
        return Tensor(np.ones(tensor.shape, tensor.dtype), device=tensor._device)
    if not isinstance(gradient, Tensor):
        gradient = Tensor(gradient, tensor.dtype, tensor._device)
    if gradient.shape != tensor.shape:
        raise ValueError(f"{name}: the gradient has shape {gradient.shape}, the tensor {tensor.shape}; they must agree")
    if gradient.dtype != tensor.dtype:
        raise TypeError(f"{name}: the gradient has dtype {gradient.dtype}, the tensor {tensor.dtype}; they must agree")
    if gradient._device is not tensor._device:
        raise ValueError(f"{name}: the gradient is on {gradient.device}, the tensor on {tensor.device}; move one")
    return gradient
