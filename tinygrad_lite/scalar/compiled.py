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

from .functions import FUNCTIONS
from .numbers import evaluate
from .samples import OverSamples, float_arrays
from .tracing import Nested, leaves, like, one, partials, plain, positions, signature, trace
from .value import Value

_PLAIN = {float, int, bool}
Argnums = int | Sequence[int] | None
Transform = Callable[[Nested, Sequence[Expr]], Nested]


class Compiled:
    """A function made of scalar expressions. Call it with numbers or arrays, or from inside compiled functions.

    With numbers and in compiled code it computes in float64; over arrays in the arrays' own float dtype. With Values or
    traced values it becomes part of what they record, so derivatives of derivatives work as well.
    """

    def __init__(self, function: Callable[..., Any], transform: Transform, name: str):
        self.function = plain(function)
        self.__signature__ = signature(self.function)
        self.__name__ = self.__qualname__ = name + _identifier(self.function)
        self.__doc__ = f"{self.__name__}{self.__signature__}: made by tinygrad_lite.scalar"
        self.count = len(self.__signature__.parameters)
        self._xs = inputs(self.count)
        self.nested = transform(trace(self.function, self._xs), self._xs)
        self.program = program(leaves(self.nested), self.count)

    def __repr__(self) -> str:
        return f"<compiled {self.__name__}{self.__signature__}>"

    @property
    def source(self) -> str:
        """The printed text of what is compiled for numbers."""
        return native.source_of(self._printed)

    @cached_property
    def _printed(self) -> Any:
        parameters = [_parameter(p) for p in self.__signature__.parameters.values()]
        return scalar_function(self.program, parameters, lambda values: _tuple_text(like(self.nested, values)))

    @cached_property
    def dispatcher(self) -> Any:
        """The Numba function."""
        return native.Helper(self._printed, inline=False).compiled

    @property
    def _numba_type_(self) -> Any:
        """Numba asks for this where a compiled function mentions the object; it then calls the dispatcher."""
        from numba import types

        return types.Dispatcher(self.dispatcher)

    def __call__(self, *args: Any, **named: Any) -> Any:
        if named or len(args) != self.count:
            args = self._placed(args, named)
        if _PLAIN.issuperset(map(type, args)):
            return self.dispatcher(*map(float, args))
        if any(isinstance(a, (Expr, Value)) for a in args):
            return self._recorded(args)
        if any(isinstance(a, (np.ndarray, list, tuple)) and np.ndim(a) for a in args):
            return like(self.nested, self._over_arrays(args))
        return self.dispatcher(*(_number(self.__name__, i, a) for i, a in enumerate(args)))

    def _placed(self, args: Sequence[Any], named: dict[str, Any]) -> tuple[Any, ...]:
        try:
            bound = self.__signature__.bind(*args, **named)
        except TypeError as error:
            raise TypeError(f"{self.__name__}{self.__signature__}: {error}") from None
        bound.apply_defaults()
        return bound.args

    def _recorded(self, args: Sequence[Any]) -> Any:
        known = {id(x): a for x, a in zip(self._xs, args, strict=True)}
        return like(self.nested, [evaluate(part, known, _record) for part in leaves(self.nested)])

    def _over_arrays(self, args: Sequence[Any]) -> list[np.ndarray]:
        arrays = float_arrays(self.__name__, args)
        results = elementwise(self.program)(*arrays)
        return [r if r.dtype.kind == "b" else r.astype(arrays[0].dtype, copy=False) for r in results]


def _record(name: str, *args: Any) -> Any:
    return FUNCTIONS[name](*args)


def _number(name: str, position: int, value: Any) -> float:
    try:
        if not isinstance(value, (str, bytes)):
            return float(value)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}: argument {position} must be a number or an array, got {value!r}")


def _parameter(parameter: inspect.Parameter) -> str:
    default = parameter.default
    return parameter.name if default is parameter.empty else f"{parameter.name}={float(default)!r}"


def _identifier(function: Callable[..., Any]) -> str:
    name = getattr(function, "__name__", "function")
    return name if name.isidentifier() else "function"


def _tuple_text(nested: Any) -> str:
    if isinstance(nested, tuple):
        return "(" + "".join(f"{_tuple_text(part)}, " for part in nested) + ")"
    return nested


def _differentiated(out: Expr, xs: Sequence[Expr], argnums: Argnums) -> Nested:
    """The derivative with respect to one argument, or a tuple of several."""
    found = partials(out, [xs[i] for i in positions(argnums, len(xs))])
    return found if argnums is None or np.ndim(argnums) else found[0]


def compile(function: Callable[..., Any]) -> Compiled:
    """The function itself, compiled.

    >>> from tinygrad_lite import scalar
    >>> f = compile(lambda x, y: x * scalar.sin(y))
    >>> f(2.0, 0.0)
    0.0
    """
    return Compiled(function, lambda out, xs: out, "")


def grad(function: Callable[..., Any], argnums: Argnums = 0) -> Compiled:
    """The derivative with respect to one argument (a number), to several or all (argnums=None): a tuple.

    >>> grad(lambda x: x**3)(2.0)
    12.0
    """

    return Compiled(function, lambda out, xs: _differentiated(one("grad", out), xs, argnums), "grad_")


def value_and_grad(
    function: Callable[..., Any], argnums: Argnums = 0, over: int | Sequence[int] = (), reduce: str = "sum"
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
    if np.size(over):
        return OverSamples(function, argnums, over, reduce)

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        value = one("value_and_grad", out)
        return value, _differentiated(value, xs, argnums)

    return Compiled(function, transform, "value_and_grad_")


def jacobian(function: Callable[..., Any]) -> Compiled:
    """For a function that returns a tuple: a row of derivatives (one for each argument) for each result.

    >>> jacobian(lambda x, y: (x * y, x + y))(2.0, 3.0)
    ((3.0, 2.0), (1.0, 1.0))
    """

    return Compiled(function, lambda out, xs: tuple(partials(part, xs) for part in leaves(out)), "jacobian_")


def hessian(function: Callable[..., Any]) -> Compiled:
    """The matrix of second derivatives, as a tuple of rows.

    >>> hessian(lambda x, y: x * x * y)(2.0, 3.0)
    ((6.0, 4.0), (4.0, 0.0))
    """

    def transform(out: Nested, xs: Sequence[Expr]) -> Nested:
        return tuple(partials(first, xs) for first in partials(one("hessian", out), xs))

    return Compiled(function, transform, "hessian_")
