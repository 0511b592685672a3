"""Stochastic gradient descent."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from tinygrad_lite_kernels.expr import Program, inputs, program

from .checks import not_negative
from .optimizer import Group, Optimizer


class SGD(Optimizer):
    """p -= lr · g; with momentum p -= lr · b, where b = momentum · b + (1 - dampening) · g starts as the gradient.

    weight_decay adds weight_decay · p to the gradient. nesterov steps along g + momentum · b (Sutskever, 2013).

    >>> import tinygrad_lite as tg
    >>> w = tg.nn.Parameter([1.0])
    >>> optimizer = tg.optim.SGD([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    Tensor([0.])
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        options = {"momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov}
        super().__init__(params, {"lr": lr, **options})

    def check(self, group: Group) -> None:
        """lr, momentum and weight_decay are not negative; Nesterov needs momentum without dampening."""
        not_negative("SGD", group, "lr", "momentum", "weight_decay")
        if group["nesterov"] and (not group["momentum"] or group["dampening"]):
            raise ValueError("SGD: nesterov needs a momentum above 0 and dampening 0")

    def slots(self, group: Group) -> tuple[str, ...]:
        """The running sum of gradients, if there is momentum."""
        return ("momentum_buffer",) if group["momentum"] else ()

    def program(self, group: Group) -> Program:
        """The rule for these options."""
        return _rule(bool(group["momentum"]), bool(group["nesterov"]), bool(group["weight_decay"]))

    def numbers(self, group: Group, step: int) -> tuple[float, ...]:
        """lr, weight_decay, momentum, the share of a new gradient."""
        share = 1.0 if step == 1 else 1.0 - group["dampening"]
        return group["lr"], group["weight_decay"], group["momentum"], share


@lru_cache
def _rule(has_momentum: bool, nesterov: bool, decay: bool) -> Program:
    p, g, *rest = inputs(7 if has_momentum else 6)
    lr, weight_decay, momentum, share = rest[-4:]
    if decay:
        g = g + weight_decay * p
    if not has_momentum:
        return program([p - lr * g], 6)
    moved = momentum * rest[0] + share * g
    return program([p - lr * (g + momentum * moved if nesterov else moved), moved], 7)
