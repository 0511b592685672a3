"""Functions that see, and may replace, the gradient of a tensor as it passes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from . import sweep


class Handle:
    """Returned by `register_hook`; `remove()` takes the hook away again."""

    def __init__(self, hooks: list[Any], entry: Any):
        self._hooks, self._entry = hooks, entry

    def remove(self) -> None:
        """Take the hook away. A second call does nothing."""
        self._hooks[:] = [e for e in self._hooks if e is not self._entry]


def register_hook(tensor: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Handle:
    """Call `hook(gradient)` when the gradient of `tensor` is complete; what it returns, if not None, replaces it.

    Hooks run in the order in which they were registered. RuntimeError for a tensor that does not require a gradient.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([1.0], requires_grad=True)
    >>> handle = x.register_hook(lambda g: g * 10)
    >>> (x * 2).sum().backward()
    >>> x.grad
    Tensor([20.])
    """
    _check(tensor, "register_hook")
    if tensor._node is None:
        hooks = tensor._hooks = [] if tensor._hooks is None else tensor._hooks
    else:
        hooks = tensor._node.hooks = [] if tensor._node.hooks is None else tensor._node.hooks
    entry = tensor._index, hook
    hooks.append(entry)
    return Handle(hooks, entry)


def _check(tensor: Tensor, name: str) -> None:
    if not tensor.requires_grad:
        raise RuntimeError(f"{name}: this tensor does not require a gradient, so none will pass")


def retain_grad(tensor: Tensor) -> None:
    """Let backward leave a gradient in `.grad` also for a tensor that was computed from others.

    It is added up over several calls of backward, as that of a leaf. RuntimeError where no gradient is required.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([1.0], requires_grad=True)
    >>> y = x * 2
    >>> y.retain_grad()
    >>> (y * y).sum().backward()
    >>> y.grad
    Tensor([4.])
    """
    _check(tensor, "retain_grad")
    if tensor._node is None or tensor._retains:
        return
    tensor._retains = True
    reference = weakref.ref(tensor)

    def keep(gradient: Any) -> None:
        owner = reference()
        if owner is not None:
            owner.grad = sweep.copy(gradient) if owner.grad is None else owner.grad + gradient

    register_hook(tensor, keep)
