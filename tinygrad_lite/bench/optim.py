"""One step of an optimizer over given gradients; torch in its default and its fused form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..devices import Device
from .case import Case, Contestants, Run
from .libraries import Library

Arrays = list[np.ndarray]
Shapes = list[tuple[int, ...]]
MLP: Shapes = [(512, 784), (512,), (256, 512), (256,), (10, 256), (10,)]
QUICK: dict[str, Shapes] = {"MLP 784-512-256-10": MLP}
MORE: dict[str, Shapes] = {
    "1 x 1,000,000": [(1_000_000,)],
    "10 x 1,000,000": [(1_000_000,)] * 10,
    "424 x 23,585": [(23_585,)] * 424,
}


class Rule(NamedTuple):
    """An optimizer: its name and options, operations and bytes for each parameter, and others' forms of the step.

    by_hand: in NumPy, in place. functional: new parameter and state from parameter, gradient, state (a pair) and count.
    """

    name: str
    options: dict[str, Any]
    flops: int
    traffic: int
    by_hand: Callable[[Arrays, Arrays], Run]
    functional: Callable[..., tuple[Any, tuple[Any, Any]]]


def _sgd(params: Arrays, grads: Arrays) -> Run:
    state = [np.zeros_like(p) for p in params]

    def step() -> None:
        for p, g, m in zip(params, grads, state, strict=True):
            m *= 0.9
            m += g
            p -= 0.01 * m

    return step


def _adam(params: Arrays, grads: Arrays) -> Run:
    first, second, count = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params], 0

    def step() -> None:
        nonlocal count
        count += 1
        rate, root = 1e-3 / (1 - 0.9**count), math.sqrt(1 - 0.999**count)
        for p, g, m, v in zip(params, grads, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= rate * m / (np.sqrt(v) / root + 1e-8)

    return step


def _functional_sgd(p: Any, g: Any, state: tuple[Any, Any], count: Any) -> tuple[Any, tuple[Any, Any]]:
    m = 0.9 * state[0] + g
    return p - 0.01 * m, (m, state[1])


def _functional_adam(p: Any, g: Any, state: tuple[Any, Any], count: Any) -> tuple[Any, tuple[Any, Any]]:
    m, v = state[0] + 0.1 * (g - state[0]), state[1] + 0.001 * (g * g - state[1])
    return p - 1e-3 / (1 - 0.9**count) * m / ((v / (1 - 0.999**count)) ** 0.5 + 1e-8), (m, v)


RULES = {
    "SGD with momentum": Rule("SGD", {"lr": 0.01, "momentum": 0.9}, 4, 20, _sgd, _functional_sgd),
    "Adam": Rule("Adam", {"lr": 1e-3}, 12, 28, _adam, _functional_adam),
}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each optimizer and list of parameters."""
    for name, rule in RULES.items():
        for size, shapes in (QUICK if quick else QUICK | MORE).items():
            yield _case(who, f"{name}, {size}", rule, shapes)


def _case(who: Contestants, label: str, rule: Rule, shapes: Shapes) -> Case:
    params, grads = arrays(shapes)
    peers: dict[str, Callable[[Library], Run]] = {
        "numpy": lambda library: rule.by_hand([p.copy() for p in params], grads),
        "torch": lambda library: torchs(library.module, rule, params, grads),
        "torch fused": lambda library: torchs(library.module, rule, params, grads, fused=True),
        "jax": lambda library: jaxs(library.module, rule, params, grads),
    }
    runs = who.ours(lambda device: ours(rule, params, grads, device)[0]) | who.peers(peers)
    count = sum(map(math.prod, shapes))
    return Case(label, runs, float(rule.flops * count), float(rule.traffic * count))


def arrays(shapes: Shapes) -> tuple[Arrays, Arrays]:
    """Parameters and gradients."""
    rng = np.random.default_rng(0)
    made = [[rng.standard_normal(s, np.float32) for s in shapes] for _ in range(2)]
    return made[0], made[1]


def ours(rule: Rule, params: Arrays, grads: Arrays, device: Device | None = None) -> tuple[Run, list[Any]]:
    """Our step, and the tensors that it changes."""
    from .. import optim
    from ..tensor import Tensor

    tensors = [Tensor(p, requires_grad=True, device=device) for p in params]
    for t, g in zip(tensors, grads, strict=True):
        t.grad = Tensor(g, device=device)
    return getattr(optim, rule.name)(tensors, **rule.options).step, tensors


def torchs(torch: Any, rule: Rule, params: Arrays, grads: Arrays, **more: Any) -> Run:
    """That of torch."""
    tensors = [torch.tensor(p, requires_grad=True) for p in params]
    for t, g in zip(tensors, grads, strict=True):
        t.grad = torch.tensor(g)
    return getattr(torch.optim, rule.name)(tensors, **rule.options, **more).step


def jaxs(jax: Any, rule: Rule, params: Arrays, grads: Arrays) -> Run:
    """Compiled, over all parameters at once, which it may write over."""
    slopes = [jax.numpy.asarray(g) for g in grads]

    def update(params: Any, state: Any, count: Any, grads: Any) -> tuple[Any, Any, Any]:
        return *updated(rule, params, grads, state, count + 1), count + 1

    compiled = jax.jit(update, donate_argnums=(0, 1, 2))
    kept: list[Any] = list(jax_state(jax, params))

    def step() -> None:
        kept[:] = jax.block_until_ready(compiled(*kept, slopes))

    return step


def jax_state(jax: Any, params: Arrays) -> tuple[Any, Any, Any]:
    """Parameters, their states and the count of steps."""
    make = jax.numpy.array
    return [make(p) for p in params], [(make(0 * p), make(0 * p)) for p in params], make(0.0)


def updated(rule: Rule, params: Any, grads: Any, state: Any, count: Any) -> tuple[list[Any], list[Any]]:
    """All parameters and states after a step of the functional form."""
    pairs = [rule.functional(p, g, s, count) for p, g, s in zip(params, grads, state, strict=True)]
    return [p for p, _ in pairs], [s for _, s in pairs]
