"""Gradients, and products with Jacobians and Hessians, of functions of tensors."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor, wrap
from .linearize import ArgNums, Linearized, like


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the gradient of `f`, which must return a tensor with one element.

    f: of tensors, or of nested lists, tuples and dicts of them. argnums: the argument to differentiate by; for several
    the gradient is a tuple. has_aux: `f` returns (output, anything else); the gradient comes as (gradient, that else).
    Where `f` does not depend on an argument its gradient is zero. Raises TypeError where something is no float tensor.

    >>> import tinygrad_lite as tg
    >>> tg.func.grad(lambda x: x * x * x)(tg.Tensor(2.0))
    Tensor(12.)
    >>> tg.func.grad(tg.func.grad(lambda x: x * x * x))(tg.Tensor(2.0))
    Tensor(12.)
    """

    @functools.wraps(f)
    def gradient(*args: Any, **options: Any) -> Any:
        lin, found = _gradient("grad", f, args, options, argnums, has_aux)
        return (found, lin.aux) if has_aux else found

    return gradient


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `grad`, returning (value, gradient), or ((value, aux), gradient) with has_aux.

    >>> import tinygrad_lite as tg
    >>> tg.func.value_and_grad(lambda x: x * x)(tg.Tensor(3.0))
    (Tensor(9.), Tensor(6.))
    """

    @functools.wraps(f)
    def both(*args: Any, **options: Any) -> Any:
        lin, found = _gradient("value_and_grad", f, args, options, argnums, has_aux)
        return ((lin.value, lin.aux) if has_aux else lin.value), found

    return both


def vjp(f: Callable[..., Any], *primals: Any, argnums: ArgNums = None, has_aux: bool = False) -> tuple[Any, ...]:
    """(value, pull) or (value, pull, aux): `pull(gradient of the value)` is the tuple of the arguments' gradients.

    Reverse mode: the vector-Jacobian product. argnums: of which arguments (None: all, which then must be float
    tensors); for one number, `pull` returns its gradient without a tuple around. `pull` may be called many times.

    >>> import tinygrad_lite as tg
    >>> value, pull = tg.func.vjp(lambda x: x * x, tg.Tensor([1.0, 2.0]))
    >>> pull(tg.Tensor([1.0, 10.0]))
    (Tensor([ 2., 40.]),)
    """
    lin = Linearized("vjp", f, primals, argnums, has_aux)

    def pull(gradients: Any) -> Any:
        return lin.arguments(lin.pull(like("vjp", "gradient", gradients, lin.outputs)))

    return (lin.value, pull, lin.aux) if has_aux else (lin.value, pull)


def jvp(
    f: Callable[..., Any], primals: Sequence[Any], tangents: Any, argnums: ArgNums = None, has_aux: bool = False
) -> tuple[Any, ...]:
    """(value, tangent) or (value, tangent, aux): how the value of `f` moves when the arguments move along `tangents`.

    Forward mode: the Jacobian-vector product, as the derivative of the linear function `pull` of `vjp`.
    primals: the arguments. tangents: a tensor for each tensor in the arguments (of those in argnums, if given).

    >>> import tinygrad_lite as tg
    >>> tg.func.jvp(lambda x: x * x, [tg.Tensor([1.0, 2.0])], [tg.Tensor([1.0, 10.0])])
    (Tensor([1., 4.]), Tensor([ 2., 40.]))
    """
    lin = Linearized("jvp", f, _sequence(primals), argnums, has_aux)
    tangent = lin.rebuild(lin.push()(like("jvp", "tangent", tangents, lin.points)))
    return (lin.value, tangent, lin.aux) if has_aux else (lin.value, tangent)


def hvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Any, argnums: ArgNums = None) -> tuple[Any, Any]:
    """(value, product): the Hessian of `f`, which must return one number, times the tangents, without the Hessian.

    The product is nested as the arguments are: a tuple with an entry for each, or for each in argnums.

    >>> import tinygrad_lite as tg
    >>> tg.func.hvp(lambda x: (x * x * x).sum(), [tg.Tensor([1.0, 2.0])], [tg.Tensor([1.0, 1.0])])
    (Tensor(9.), (Tensor([ 6., 12.]),))
    """
    primals = _sequence(primals)
    both = value_and_grad(f, tuple(range(len(primals))) if argnums is None else argnums)
    _, product, value = jvp(lambda *xs: both(*xs)[::-1], primals, tangents, argnums, has_aux=True)
    return value, product


def _sequence(primals: Any) -> Sequence[Any]:
    return [primals] if isinstance(primals, Tensor) else primals


def _gradient(
    name: str, f: Callable[..., Any], args: Any, options: dict[str, Any], argnums: Any, has_aux: bool
) -> tuple[Linearized, Any]:
    lin = Linearized(name, functools.partial(f, **options) if options else f, args, argnums, has_aux)
    if len(lin.outputs) != 1 or lin.outputs[0].size != 1:
        shapes = ", ".join(str(y.shape) for y in lin.outputs)
        raise ValueError(
            f"{name}: the function must return one tensor with one element, got shape {shapes}; reduce it with .sum() "
            "or .mean(), or use func.jacobian"
        )
    y = lin.outputs[0]
    one: Tensor = wrap(np.ones(y.shape, y.dtype), y._device)
    return lin, lin.arguments(lin.pull([one], retain_graph=False))
