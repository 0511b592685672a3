"""Functions forward and backward: a million numbers and what arrives at them, jitted where a package can do that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ..devices import Device
from .case import Case, Contestants, Run
from .libraries import Functions, Library

SHAPE = (1000, 1000)


class Rule(NamedTuple):
    """A function in the words of all; by_hand: its values and gradients as someone with only NumPy writes them."""

    function: Callable[[Any, Any], Any]
    by_hand: Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]] | None = None


def _sigmoid(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = 1 / (1 + np.exp(-x))
    return y, g * y * (1 - y)


def _tanh(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = np.tanh(x)
    return y, g * (1 - y * y)


def _softmax(x: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y = np.exp(x - x.max(-1, keepdims=True))
    y /= y.sum(-1, keepdims=True)
    return y, y * (g - (g * y).sum(-1, keepdims=True))


QUICK = {
    "gelu": Rule(lambda f, x: f.gelu(x)),
    "softmax of 1000": Rule(lambda f, x: f.softmax(x, -1), _softmax),
}
MORE = {
    "sigmoid": Rule(lambda f, x: f.sigmoid(x), _sigmoid),
    "tanh": Rule(lambda f, x: f.tanh(x), _tanh),
    "x * sigmoid(x) + tanh(x) * x": Rule(lambda f, x: x * f.sigmoid(x) + f.tanh(x) * x),
    "log_softmax of 1000": Rule(lambda f, x: f.log_softmax(x, -1)),
}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each function."""
    x, g = np.random.default_rng(0).standard_normal((2, *SHAPE), np.float32)
    for name, rule in (QUICK if quick else QUICK | MORE).items():
        makers = {peer: partial(make, rule, x, g) for peer, make in PEERS.items() if rule.by_hand or peer != "numpy"}
        yield Case(name, who.ours(partial(_ours, rule, x, g)) | who.peers(makers), bytes=4.0 * x.nbytes)


def _ours(rule: Rule, x: np.ndarray, g: np.ndarray, device: Device) -> Run:
    from .. import autograd, compiler, nn
    from ..ops import statistics
    from ..ops.elementwise import OPERATIONS
    from ..tensor import Tensor

    functions = Functions(nn.functional, statistics, **OPERATIONS)

    def both(x: Any, g: Any) -> Any:
        y = rule.function(functions, x)
        return y, *autograd.grad(y, x, g)

    return partial(compiler.jit(both), Tensor(x, requires_grad=True, device=device), Tensor(g, device=device))


def _torch(rule: Rule, x: np.ndarray, g: np.ndarray, library: Library) -> Run:
    inputs, slope = library.array(x).requires_grad_(), library.array(g)

    def both() -> Any:
        y = rule.function(library.functions, inputs)
        return y, *library.module.autograd.grad(y, inputs, slope)

    return both


def _jax(rule: Rule, x: np.ndarray, g: np.ndarray, library: Library) -> Run:
    def both(x: Any, g: Any) -> Any:
        y, pull = library.module.vjp(partial(rule.function, library.functions), x)
        return y, *pull(g)

    return partial(library.ready(both), library.array(x), library.array(g))


def _numpy(rule: Rule, x: np.ndarray, g: np.ndarray, library: Library) -> Run:
    assert rule.by_hand is not None
    return partial(rule.by_hand, x, g)


PEERS: dict[str, Callable[[Rule, np.ndarray, np.ndarray, Library], Run]] = {
    "numpy": _numpy,
    "torch": _torch,
    "jax": _jax,
}
