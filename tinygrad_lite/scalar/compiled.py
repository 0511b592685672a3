"""Automatic differentiation for Numba: derivatives of plain Python functions, to be called from anywhere.

The objects made here can be called with numbers, over arrays (one vectorised kernel, broadcasting), and from inside
functions compiled by `numba.njit`, `prange` loops included.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu.elementwise import elementwise
from tinygrad_lite_kernels.cpu.printer import scalar_function
from tinygrad_lite_kernels.expr import Expr, inputs, program

from .samples import OverSamples
from .tracing import Nested, leaves, like, one, partials, trace

Argnums = int | Sequence[int] | None
Transform = Callable[[Nested, Sequence[Expr]], Nested]


class Compiled:
    """A function made of scalar expressions. Call it with numbers or arrays, or from inside compiled functions.

    With numbers and in compiled code it computes in float64; over arrays in the arrays' own float dtype.
    """

    def __init__(self, function: Callable[..., Any], transform: Transform, name: str):
        self.__name__ = self.__qualname__ = name
        self.__doc__ = f"{name}: made by tinygrad_lite.scalar"
        self.function = function
        self.count = _parameter_count(function)
        self._xs = inputs(self.count)
        self.nested = transform(trace(function, self._xs), self._xs)
        self.program = program(leaves(self.nested), self.count)

    def __repr__(self) -> str:
        return f"<compiled {self.__name__} of {self.count} arguments>"

    @property
    def source(self) -> str:
        """The printed text of what is compiled for numbers."""
        return native.source_of(self._printed)

    @cached_property
    def _printed(self) -> Any:
        return scalar_function(self.program, lambda values: _tuple_text(like(self.nested, values)))

    @cached_property
    def dispatcher(self) -> Any:
        """The Numba function."""
        return native.Helper(self._printed, inline=False).compiled

    @property
    def _numba_type_(self) -> Any:
        """Numba asks for this where a compiled function mentions the object; it then calls the dispatcher."""
        from numba import types

        return types.Dispatcher(self.dispatcher)

    def __call__(self, *args: Any) -> Any:
        if len(args) != self.count:
            raise TypeError(f"{self.__name__} takes {self.count} arguments, got {len(args)}")
        if any(isinstance(a, (np.ndarray, list, tuple)) and np.ndim(a) for a in args):
            return like(self.nested, self._over_arrays(args))
        return self.dispatcher(*(_number(self.__name__, i, a) for i, a in enumerate(args)))

    def _over_arrays(self, args: Sequence[Any]) -> tuple[np.ndarray, ...]:
        arrays = [np.asarray(a) for a in args]
        given = [a.dtype for a in arrays if a.ndim and a.dtype.kind == "f"]
        dtype = np.result_type(*given) if given else np.dtype(np.float64)
        return elementwise(self.program)(*(a.astype(dtype, copy=False) for a in arrays))


def _number(name: str, position: int, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}: argument {position} must be a number or an array, got {value!r}") from None


def _tuple_text(nested: Any) -> str:
    if isinstance(nested, tuple):
        return "(" + "".join(f"{_tuple_text(part)}, " for part in nested) + ")"
    return nested


def _parameter_count(function: Callable[..., Any]) -> int:
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    if any(k in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD) for k in kinds):
        raise TypeError(f"{function.__name__}: give every argument a name; *args and **kwargs cannot be traced")
    return len(kinds)


def _chosen(argnums: Argnums, xs: Sequence[Expr]) -> list[Expr]:
    numbers = range(len(xs)) if argnums is None else [argnums] if isinstance(argnums, int) else argnums
    for n in numbers:
        if not -len(xs) <= n < len(xs):
            raise ValueError(f"argnums: there is no argument {n}; the function takes {len(xs)}")
    return [xs[n] for n in numbers]


def compile(function: Callable[..., Any]) -> Compiled:
    """The function itself, compiled.

    >>> from tinygrad_lite import scalar
    >>> f = compile(lambda x, y: x * scalar.sin(y))
    >>> f(2.0, 0.0)
    0.0
    """
    return Compiled(function, lambda out, xs: out, _name("", function))


def grad(function: Callable[..., Any], argnums: Argnums = 0) -> Compiled:
    """The derivative with respect to one argument (a number), to several or all (argnums=None): a tuple.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    """

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        found = partials(one("grad", out), _chosen(argnums, xs))
        return found[0] if isinstance(argnums, int) else found

    return Compiled(function, transform, _name("grad_", function))


def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = 0, over: Sequence[int] = (), reduce: str = "sum"
) -> Any:
    """The value together with the derivatives, sharing what they have in common.

    over: the arguments that hold samples along their first axis; the others may be vectors or matrices (of weights,
    say), which the function indexes. Values and gradients are then summed over the samples (reduce="mean" divides by
    their number) in one vectorised kernel. Such a function takes arrays, and is called from Python only.

    >>> value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    >>> loss = lambda w, x, t: (w[0] * x + w[1] - t) ** 2
    >>> step = value_and_grad(loss, over=(1, 2), reduce="mean")
    >>> step(np.array([1.0, 0.0]), np.array([1.0, 2.0]), np.array([2.0, 4.0]))
    (2.5, array([-5., -3.]))
    """
    if over:
        return OverSamples(function, argnums, tuple(over), reduce)

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        found = partials(one("value_and_grad", out), _chosen(argnums, xs))
        return one("value_and_grad", out), found[0] if isinstance(argnums, int) else found

    return Compiled(function, transform, _name("value_and_grad_", function))


def jacobian(function: Callable[..., Any]) -> Compiled:
    """For a function that returns a tuple: a row of derivatives (one for each argument) for each result.

    >>> jacobian(lambda x, y: (x * y, x + y))(2.0, 3.0)
    ((3.0, 2.0), (1.0, 1.0))
    """

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        return tuple(partials(part, xs) for part in leaves(out))

    return Compiled(function, transform, _name("jacobian_", function))


def hessian(function: Callable[..., Any]) -> Compiled:
    """The matrix of second derivatives, as a tuple of rows.

    >>> hessian(lambda x, y: x * x * y)(2.0, 3.0)
    ((6.0, 4.0), (4.0, 0.0))
    """

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        return tuple(partials(first, xs) for first in partials(one("hessian", out), xs))

    return Compiled(function, transform, _name("hessian_", function))


def _name(prefix: str, function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "function")
    return prefix + (name if name.isidentifier() else "function")
