"""Statistics over axes: the reductions, and what is composed of them."""

from __future__ import annotations

import math
from typing import Any

from tinygrad_lite_kernels.expr import functions, inputs

from ..dtypes import as_dtype
from ..tensor import Tensor
from .creation import zeros
from .elementwise import OPERATIONS, Elementwise
from .movement import cast, detach, reshape, tensor_of
from .reduce import Axis, normalize_axes, normalize_axis, reduce
from .spelling import both_spellings

add, subtract, multiply, divide = (OPERATIONS[n] for n in ("add", "subtract", "multiply", "divide"))
sqrt, square = OPERATIONS["sqrt"], OPERATIONS["square"]
_a, _b = inputs(2)
_exp_difference = Elementwise("exp(a - b)", functions["exp"](_a - _b), 2, registered=False)
_minus_log = Elementwise("a - log(b)", _a - functions["log"](_b), 2, registered=False)
_finite = Elementwise("finite", functions["where"](functions["isinf"](_a), 0, _a), 1, registered=False)


@both_spellings
def sum(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` (None: all axes). Integers and truth values are summed in 64 bits. Empty: 0.

    >>> import tinygrad_lite as tg
    >>> tg.sum(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), axis=0)
    Tensor([4., 6.])
    """
    return _of_dtype("sum", x, axis, dtype, keepdims)


@both_spellings
def prod(x: Any, axis: Axis = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product over `axis` (None: all axes). Integers have 64 bits. Empty: 1.

    The gradient is right where elements are zero.

    >>> import tinygrad_lite as tg
    >>> tg.prod(tg.tensor([[1, 2], [3, 4]]), axis=1)
    Tensor([ 2, 12])
    """
    return _of_dtype("prod", x, axis, dtype, keepdims)


def _of_dtype(name: str, x: Any, axis: Axis, dtype: Any, keepdims: bool) -> Tensor:
    """Reduce in a dtype: what is narrower than 64 bits is summed in 64 and then converted."""
    x = tensor_of(name, x)
    if dtype is None:
        return reduce(name, x, axis, keepdims)
    kind = as_dtype(dtype)
    result = reduce(name, x if x.dtype == kind else cast(x, kind), axis, keepdims)
    return result if result.dtype == kind else cast(result, kind)


@both_spellings
def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element; NaN where there is one. Ties share the gradient evenly. Empty: ValueError.

    >>> import tinygrad_lite as tg
    >>> tg.max(tg.tensor([[1.0, 2.0], [3.0, 0.0]]), axis=1, keepdims=True)
    Tensor([[2.],
            [3.]])
    """
    return reduce("max", x, axis, keepdims)


@both_spellings
def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element; NaN where there is one. Ties share the gradient evenly. Empty: ValueError.

    >>> import tinygrad_lite as tg
    >>> tg.min(tg.tensor([[1.0, 2.0], [3.0, 0.0]]), axis=1)
    Tensor([1., 0.])
    """
    return reduce("min", x, axis, keepdims)


@both_spellings
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element is not zero (NaN is not). Empty: False.

    >>> import tinygrad_lite as tg
    >>> tg.any(tg.tensor([[0, 1], [0, 0]]), axis=1)
    Tensor([ True, False])
    """
    return reduce("any", x, axis, keepdims)


@both_spellings
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether every element is not zero (NaN is not). Empty: True.

    >>> import tinygrad_lite as tg
    >>> tg.all(tg.tensor([[1, 1], [0, 1]]), axis=1)
    Tensor([ True, False])
    """
    return reduce("all", x, axis, keepdims)


@both_spellings
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean; of integers in the default float. Empty: NaN.

    >>> import tinygrad_lite as tg
    >>> tg.mean(tg.tensor([1, 2, 4, 5]))
    Tensor(3.)
    """
    x = floating("mean", x)
    return _mean(x, normalize_axes("mean", axis, x.ndim), keepdims)


def _mean(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    return multiply(reduce("sum", x, axes, keepdims), _inverse(_count(x, axes)))


@both_spellings
def var(x: Any, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The variance, sum((x - mean)**2) / (n - correction), in two passes so that a large mean does no harm.

    NaN where n <= correction.

    >>> import tinygrad_lite as tg
    >>> tg.var(tg.tensor([1.0, 3.0])), tg.var(tg.tensor([1.0, 3.0]), correction=1)
    (Tensor(1.), Tensor(2.))
    """
    return _var("var", x, axis, correction, keepdims)


def _var(name: str, x: Any, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    x = floating(name, x)
    axes = normalize_axes(name, axis, x.ndim)
    centred = subtract(x, _mean(x, axes, True))
    return multiply(reduce("sum", square(centred), axes, keepdims), _inverse(_count(x, axes) - correction))


@both_spellings
def std(x: Any, axis: Axis = None, correction: float = 0.0, keepdims: bool = False) -> Tensor:
    """The standard deviation, sqrt(var). Its gradient is taken as 0 where the variance is 0.

    >>> import tinygrad_lite as tg
    >>> tg.std(tg.tensor([1.0, 3.0]))
    Tensor(1.)
    """
    return safe_root(_var("std", x, axis, correction, keepdims), 2)


def safe_root(x: Tensor, degree: float) -> Tensor:
    """x ** (1 / degree), whose gradient at 0 is taken as 0."""
    if degree < 0:
        return OPERATIONS["pow"](x, 1 / degree)
    zero = OPERATIONS["equal"](x, 0)
    inside = OPERATIONS["where"](zero, 1, x)
    root = sqrt(inside) if degree == 2 else OPERATIONS["pow"](inside, 1 / degree)
    return OPERATIONS["where"](zero, 0, root)


def floating(name: str, x: Any) -> Tensor:
    """The argument as a tensor of floats."""
    x = tensor_of(name, x)
    return x if x.dtype.kind == "f" else cast(x, as_dtype(float))


def _count(x: Tensor, axes: tuple[int, ...]) -> int:
    return math.prod([x.shape[a] for a in axes])


def _inverse(count: float) -> float:
    return 1.0 / count if count > 0 else math.nan


@both_spellings
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) without overflow, in the default float for integers. Nothing, or only -inf, gives -inf.

    >>> import tinygrad_lite as tg
    >>> tg.logsumexp(tg.tensor([1000.0, 1000.0]))
    Tensor(1000.6932)
    """
    x = floating("logsumexp", x)
    axes = normalize_axes("logsumexp", axis, x.ndim)
    top = _finite_max(x, axes)
    total = reduce("sum", _exp_difference(x, top), axes, keepdims)
    return add(OPERATIONS["log"](total), reshape(top, total.shape))


@both_spellings
def softmax(x: Any, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along an axis, without overflow.

    >>> import tinygrad_lite as tg
    >>> tg.softmax(tg.tensor([1000.0, 1000.0]))
    Tensor([0.5, 0.5])
    """
    x = floating("softmax", x)
    axes = (normalize_axis("softmax", axis, x.ndim),)
    weights = _exp_difference(x, _finite_max(x, axes))
    return divide(weights, reduce("sum", weights, axes, True))


@both_spellings
def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """log(softmax(x)) along an axis, without overflow.

    >>> import tinygrad_lite as tg
    >>> tg.log_softmax(tg.tensor([0.0, -1000.0]))
    Tensor([    0., -1000.])
    """
    x = floating("log_softmax", x)
    axes = (normalize_axis("log_softmax", axis, x.ndim),)
    shifted = subtract(x, _finite_max(x, axes))
    return _minus_log(shifted, reduce("sum", OPERATIONS["exp"](shifted), axes, True))


def _finite_max(x: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The largest element as a constant: it cancels, so no gradient passes. 0 where there is no finite one."""
    if any_is_empty(x, axes):
        return zeros(tuple(1 if i in axes else n for i, n in enumerate(x.shape)), x.dtype, x._device)
    top = reduce("max", detach(x), axes, True)
    return _finite(top)


def any_is_empty(x: Tensor, axes: tuple[int, ...]) -> bool:
    """Whether one of the axes has size 0."""
    return 0 in [x.shape[a] for a in axes]
