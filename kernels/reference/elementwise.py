"""Elementwise operations by NumPy: each step of the program is one ufunc."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ..expr import OPS, Program, constant_value, step_dtypes
from ..layout import broadcast_shape

_erf = np.vectorize(math.erf, otypes=[np.float64])
_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def _sigmoid(x: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(x))
    return np.where(x < 0, small, np.ones_like(small)) / (1 + small)


# The names that NumPy does not know under the array API's name
SPECIAL: dict[str, Callable[..., Any]] = {
    "erf": lambda x: _erf(x).astype(x.dtype),
    "erfc": lambda x: _erfc(x).astype(x.dtype),
    "relu": lambda x: np.where(x <= 0, x.dtype.type(0), x),
    "round": np.rint,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sigmoid": _sigmoid,
    "where": np.where,
}


def function(name: str) -> Callable[..., Any]:
    """The NumPy function that computes a scalar operation at every position."""
    return SPECIAL.get(name) or getattr(np, name)


class Elementwise:
    """A program ready to run on arrays that broadcast together; it returns its outputs as new arrays."""

    def __init__(self, program: Program):
        self.program = program

    def __call__(self, *arrays: np.ndarray) -> tuple[np.ndarray, ...]:
        shape = broadcast_shape("elementwise", [a.shape for a in arrays])
        dtypes = step_dtypes(self.program, [a.dtype for a in arrays])
        values: list[Any] = []
        with np.errstate(all="ignore"):
            for step, dtype in zip(self.program.steps, dtypes, strict=True):
                values.append(_evaluate(step, dtype, [values[i] for i in step.args], arrays))
        outputs = self.program.outputs
        return tuple(np.array(np.broadcast_to(np.asarray(values[i], dtypes[i]), shape)) for i in outputs)

    def one(self, *arrays: np.ndarray) -> np.ndarray:
        """The only output of a program that has one."""
        return self(*arrays)[0]


elementwise = Elementwise


class ElementwiseInto:
    """The same with the output arrays as first arguments; they may be the inputs themselves."""

    def __init__(self, program: Program):
        self.run, self.count = elementwise(program), len(program.outputs)

    def __call__(self, *arrays: np.ndarray) -> None:
        for out, value in zip(arrays[: self.count], self.run(*arrays[self.count :]), strict=True):
            out[...] = value

    def bind(self, *arrays: np.ndarray) -> Callable[..., Any]:
        """The launch for these arrays and for any others of the same layouts."""
        return self


elementwise_into = ElementwiseInto


def _evaluate(step: Any, dtype: np.dtype, args: list[Any], arrays: tuple[np.ndarray, ...]) -> Any:
    if step.op == "input":
        return arrays[step.value]
    if step.op == "constant":
        return constant_value(step)
    if step.op == "cast":
        return np.asarray(args[0]).astype(dtype)
    if OPS[step.op].result == "same":
        args = [a if step.op == "where" and i == 0 else np.asarray(a).astype(dtype) for i, a in enumerate(args)]
    return function(step.op)(*args)
