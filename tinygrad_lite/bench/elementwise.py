"""Elementwise functions of a thousand and of a million numbers, and chains of them that one kernel does."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from tinygrad_lite_kernels.expr import Program, functions, inputs, program

from ..devices import Device
from .case import Case, Contestants, Run
from .libraries import Functions


def _gelu(x: Any) -> Any:
    return 0.5 * x * (1.0 + functions["erf"](x * math.sqrt(0.5)))


OURS = Functions(gelu=_gelu, **functions)


class Rule(NamedTuple):
    """A function in the words of all; without: the library that has no such function."""

    arity: int
    function: Callable[..., Any]
    without: str = ""

    @property
    def program(self) -> Program:
        """For our kernels."""
        return program(self.function(OURS, *inputs(self.arity)), self.arity)


QUICK = {
    "x * y + z": Rule(3, lambda f, x, y, z: x * y + z),
    "exp": Rule(1, lambda f, x: f.exp(x)),
    "gelu": Rule(1, lambda f, x: f.gelu(x), without="numpy"),
    "x * sigmoid(x) + tanh(x) * x": Rule(1, lambda f, x: x * f.sigmoid(x) + f.tanh(x) * x),
}
MORE = {
    "x + y": Rule(2, lambda f, x, y: x + y),
    "x / y": Rule(2, lambda f, x, y: x / y),
    "relu": Rule(1, lambda f, x: f.relu(x)),
    "sqrt": Rule(1, lambda f, x: f.sqrt(x)),
    "log": Rule(1, lambda f, x: f.log(x)),
    "sin": Rule(1, lambda f, x: f.sin(x)),
    "tanh": Rule(1, lambda f, x: f.tanh(x)),
    "sigmoid": Rule(1, lambda f, x: f.sigmoid(x)),
}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each function and size."""
    for size in (1_000_000,) if quick else (1000, 1_000_000):
        for name, rule in (QUICK if quick else QUICK | MORE).items():
            yield _case(who, name, rule, size)


def _case(who: Contestants, name: str, rule: Rule, size: int) -> Case:
    rng, code = np.random.default_rng(0), rule.program
    arrays = [rng.uniform(0.1, 3, size).astype(np.float32) for _ in range(rule.arity)]

    def ours(device: Device) -> Run:
        return partial(device.elementwise.elementwise(code).one, *arrays)

    runs = who.ours(ours) | who.all(lambda library: library.call(rule.function, *arrays), rule.without)
    operations = sum(bool(step.args) for step in code.steps)
    return Case(f"{name}, {size:,}", runs, float(operations * size), 4.0 * size * (rule.arity + 1))
