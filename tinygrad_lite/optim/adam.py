"""Adam and AdamW."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

from tinygrad_lite_kernels.expr import Program, functions, inputs, program

from .checks import not_negative
from .optimizer import Group, Optimizer

_sqrt, _maximum = functions["sqrt"], functions["maximum"]


class Adam(Optimizer):
    """Steps along the running mean of gradients, divided by the root of that of their squares. Kingma and Ba, 2015.

    m = b1 · m + (1 - b1) · g;  v = b2 · v + (1 - b2) · g²;  p -= lr · m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps).
    weight_decay adds weight_decay · p to the gradient. amsgrad divides by the largest v so far (Reddi, 2018).

    >>> import tinygrad_lite as tg
    >>> w = tg.nn.Parameter([1.0])
    >>> optimizer = tg.optim.Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    Tensor([0.5])
    """

    decoupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ):
        options = {"betas": tuple(betas), "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad}
        super().__init__(params, {"lr": lr, **options})

    def check(self, group: Group) -> None:
        """lr, eps and weight_decay are not negative, both betas are in [0, 1)."""
        not_negative(type(self).__name__, group, "lr", "eps", "weight_decay")
        betas = group["betas"]
        if len(betas) != 2 or not all(0 <= b < 1 for b in betas):
            raise ValueError(f"{type(self).__name__}: betas must be two numbers in [0, 1), got {betas!r}")

    def slots(self, group: Group) -> tuple[str, ...]:
        """The running means, and the largest second one for amsgrad."""
        return ("exp_avg", "exp_avg_sq", "max_exp_avg_sq") if group["amsgrad"] else ("exp_avg", "exp_avg_sq")

    def program(self, group: Group) -> Program:
        """The rule for these options."""
        return _rule(bool(group["amsgrad"]), bool(group["weight_decay"]), self.decoupled)

    def numbers(self, group: Group, step: int) -> tuple[float, ...]:
        """Everything that depends on the options and on the number of the step."""
        (b1, b2), lr, decay = group["betas"], group["lr"], group["weight_decay"]
        step_size, correction = lr / (1 - b1**step), 1 / math.sqrt(1 - b2**step)
        return b1, 1 - b1, b2, 1 - b2, step_size, correction, group["eps"], 1 - lr * decay if self.decoupled else decay


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameter instead of joining the gradient. Loshchilov and Hutter, 2019."""

    decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad)


@lru_cache
def _rule(amsgrad: bool, has_decay: bool, decoupled: bool) -> Program:
    count = 13 if amsgrad else 12
    p, g, m, v, *rest = inputs(count)
    b1, c1, b2, c2, step_size, correction, eps, decay = rest[-8:]
    if has_decay:
        p, g = (p * decay, g) if decoupled else (p, g + decay * p)
    m = m * b1 + g * c1
    v = v * b2 + g * g * c2
    largest = [_maximum(rest[0], v)] if amsgrad else []
    root = _sqrt((largest or [v])[0]) * correction + eps
    return program([p - step_size * (m / root), m, v, *largest], count)
