"""Operations whose forward and backward a user writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..tensor import Tensor, alias, wrap
from .graph import Node, Spec, check_fresh, edge, version_cell
from .modes import mode, no_grad


class Context:
    """What `forward` leaves for `backward`: any attribute, and tensors through `save_for_backward`."""

    needs_input_grad: tuple[bool, ...] = ()

    def __init__(self) -> None:
        self._saved: tuple[Tensor, ...] = ()
        self._versions: list[Any] = []
        self._outputs: dict[int, int] = {}
        self._node: Any = None

    def save_for_backward(self, *tensors: Tensor) -> None:
        """Keep inputs or outputs of the operation; a later change in place of one is found out."""
        for t in tensors:
            if not isinstance(t, Tensor):
                raise TypeError(f"save_for_backward: keeps tensors; put {t!r} into an attribute, like ctx.size = 3")
        self._saved = tensors
        self._versions = [(cell := version_cell(t), cell[0], f"saved tensor {i}") for i, t in enumerate(tensors)]

    @property
    def saved_tensors(self) -> tuple[Tensor, ...]:
        """The tensors that were kept. Outputs are in their place in the graph."""
        return tuple(self._in_graph(t) for t in self._saved)

    def _in_graph(self, tensor: Tensor) -> Tensor:
        index = self._outputs.get(id(tensor))
        if index is None:
            return tensor
        output = wrap(tensor._data, tensor._device)
        output.requires_grad, output._node, output._index = True, self._node, index
        return output


class Function:
    """Subclass with static methods `forward(ctx, *args)` and `backward(ctx, *gradients)`; call by `apply`.

    forward: gets the arguments of `apply`, unrecorded, and returns a tensor or a tuple of tensors.
    backward: gets one gradient for each output (None where there is none) and returns one for each argument of forward,
    None for those that are not tensors or need none. Written in tensor operations it can be differentiated again.

    >>> import tinygrad_lite as tg
    >>> class Double(tg.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return x * 2
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         return g * 2
    >>> x = tg.Tensor([1.0], requires_grad=True)
    >>> Double.apply(x).sum().backward()
    >>> x.grad
    Tensor([2.])
    """

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Any:
        """Compute the result."""
        raise NotImplementedError("a tg.Function needs a static method forward(ctx, *args)")

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Compute the gradients of the arguments."""
        raise NotImplementedError("a tg.Function needs a static method backward(ctx, *gradients)")

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward on the arguments and record it."""
        ctx = Context()
        edges = [_edge(a, cls.__name__) if isinstance(a, Tensor) else None for a in args]
        ctx.needs_input_grad = tuple(e is not None for e in edges)
        with no_grad():
            result = cls.forward(ctx, *args)
        outputs = list(result) if isinstance(result, (tuple, list)) else [result]
        _check_outputs(cls, outputs)
        if mode.enabled and any(ctx.needs_input_grad):
            outputs = _record(cls, ctx, edges, args, outputs)
        return outputs[0] if isinstance(result, Tensor) else tuple(outputs)


def _edge(tensor: Tensor, name: str) -> Any:
    if mode.enabled:
        check_fresh(tensor, name)
    return edge(tensor)


class _Primitive:
    """What the sweep needs to know of a user's function."""

    def __init__(self, cls: type[Function], count: int):
        self.cls, self.name, self.count = cls, cls.__name__, count

    def output_count(self, node: Node) -> int:
        return self.count

    def backward(self, node: Node, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        ctx = node.params[0]
        ctx._node = node
        try:
            result = self.cls.backward(ctx, *gradients)
        finally:
            ctx._node = None  # else the node would keep itself alive
        parts = list(result) if isinstance(result, (tuple, list)) else [result]
        if len(parts) != len(node.edges):
            raise RuntimeError(
                f"{self.name}.backward returned {len(parts)} gradients, but forward has {len(node.edges)} arguments"
            )
        return [_checked(self.name, i, p, node) for i, p in enumerate(parts)]


def _checked(name: str, i: int, part: Any, node: Node) -> Tensor | None:
    if part is None or node.edges[i] is None:
        return None
    wanted = node.shapes[i]
    if not isinstance(part, Tensor) or _spec(part) != wanted:
        got = _text(_spec(part)) if isinstance(part, Tensor) else repr(part)
        raise RuntimeError(
            f"{name}.backward: the gradient of argument {i} must be a tensor of {_text(wanted)}, got {got}"
        )
    return part


def _spec(x: Tensor) -> Spec:
    return Spec(x.shape, x.dtype, x._device)


def _text(spec: Spec) -> str:
    return f"shape {spec.shape} and dtype {spec.dtype} on {spec.device}"


def _check_outputs(cls: type[Function], outputs: Sequence[Any]) -> None:
    for output in outputs:
        if not isinstance(output, Tensor):
            raise TypeError(f"{cls.__name__}.forward must return a tensor or a tuple of tensors, got {output!r}")


def _record(cls: Any, ctx: Context, edges: Any, args: Any, outputs: list[Tensor]) -> list[Tensor]:
    node = Node(_Primitive(cls, len(outputs)), edges, (), (ctx,))
    node.shapes = [_spec(a) if isinstance(a, Tensor) else None for a in args]
    node.versions = ctx._versions
    results = []
    for index, output in enumerate(outputs):
        ctx._outputs[id(output)] = index
        result = alias(output)  # forward may return an input: that tensor keeps its own history
        if result.dtype.kind == "f":
            result.requires_grad, result._node, result._index = True, node, index
        results.append(result)
    return results
