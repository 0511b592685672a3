"""The packages to compare with, so far alike that one rule, `lambda f, x: f.exp(x)`, serves all of them."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..errors import UserError

PEERS = ("numpy", "torch", "jax")


class Functions:
    """The functions of several modules under one name, after some of our own."""

    def __init__(self, *modules: Any, **own: Any):
        self.modules = modules
        self.__dict__.update(own)

    def __getattr__(self, name: str) -> Any:
        return next(getattr(module, name) for module in self.modules if hasattr(module, name))


class Library(NamedTuple):
    """A package: itself, its functions, how it takes an array, and how it makes a function ready to be timed."""

    module: Any
    functions: Any
    array: Callable[[np.ndarray], Any]
    ready: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function

    def call(self, rule: Callable[..., Any], *arrays: np.ndarray) -> Callable[[], Any]:
        """The rule on its own copies of the arrays: a function without arguments."""
        inputs, function = [self.array(a) for a in arrays], self.ready(lambda *xs: rule(self.functions, *xs))
        return lambda: function(*inputs)


def _numpy(threads: int) -> Library:
    functions = Functions(np, sigmoid=lambda x: 1 / (1 + np.exp(-x)), relu=lambda x: np.maximum(x, 0))
    return Library(np, functions, lambda a: a)


def _torch(threads: int) -> Library:
    torch = importlib.import_module("torch")
    torch.set_num_threads(threads)
    return Library(torch, Functions(torch, torch.nn.functional), torch.from_numpy)


def _jax(threads: int) -> Library:
    """Compiled, and waited for: jax answers before it has computed."""
    jax = importlib.import_module("jax")

    def ready(function: Callable[..., Any]) -> Callable[..., Any]:
        compiled = jax.jit(function)
        return lambda *inputs: jax.block_until_ready(compiled(*inputs))

    functions = Functions(jax.numpy, jax.nn, gelu=lambda x: jax.nn.gelu(x, approximate=False))
    return Library(jax, functions, jax.numpy.asarray, ready)


_MAKERS = dict(zip(PEERS, (_numpy, _torch, _jax), strict=True))


def installed() -> list[str]:
    """The peers that are here; NumPy always is."""
    return [name for name in PEERS if importlib.util.find_spec(name)]


def check_installed(names: list[str]) -> list[str]:
    """The same names. UserError for one that is not here."""
    for name in names:
        if name not in installed():
            raise UserError(f"--peers {name}: it is not installed: pip install {name}, or leave it out")
    return names


def load(names: Sequence[str], threads: int) -> dict[str, Library]:
    """Import them and set their threads."""
    return {name: _MAKERS[name](threads) for name in names}
