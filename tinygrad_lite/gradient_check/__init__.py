"""Whether gradients are right: compared with differences of the function's values."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..func.derivatives import vjp
from ..tensor import Tensor, wrap
from .checks import Check, Settings
from .problem import Problem, as_list
from .report import Finding, GradcheckError, Report

__all__ = ["Finding", "GradcheckError", "Report", "examine", "examine_second", "gradcheck", "gradgradcheck"]


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-4,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_forward_ad: bool = True,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Compare the gradients of `func(*inputs)` with central differences, (f(x + eps) - f(x - eps)) / (2 eps).

    func: returns a tensor or a nest of tensors; those of floats are checked. inputs: a tensor or a sequence
    of anything, of which the tensors that require gradients are checked: float64, away from kinks, not overlapping.
    Every element of every Jacobian must satisfy |analytic - numeric| <= atol + rtol * |numeric|, in reverse mode
    (check_backward_ad) and forward mode (check_forward_ad). rtol is smaller than PyTorch's 1e-3, so that a gradient
    that is wrong by one part in a thousand fails. Backward must also give the same twice (to nondet_tol), be
    linear, not depend on the memory layout of the incoming gradient, and take missing gradients of some outputs as
    zero (check_undefined_grad). fast_mode: a random projection of each Jacobian instead of all its elements.
    Returns True; raises GradcheckError, or with raise_exception=False returns False, where a gradient is wrong.
    Raises ValueError where the inputs cannot be checked.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([0.5, 2.0], dtype="float64", requires_grad=True)
    >>> tg.gradcheck(lambda x: x * x.sin(), [x])
    True
    """
    settings = Settings(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, check_forward_ad, check_backward_ad,
        fast_mode,
    )  # fmt: skip
    return _verdict(examine(func, inputs, settings), raise_exception)


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-4,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
) -> bool:
    """Check the gradients of the gradients of `func(*inputs)`: `gradcheck` of its backward pass.

    The backward pass is a function of the inputs and of the gradients of the outputs, and is checked by both.
    grad_outputs: those gradients (float64), random if left out. gen_non_contig_grad_outputs: with gaps in memory.
    The other options are those of `gradcheck`.

    >>> import tinygrad_lite as tg
    >>> x = tg.Tensor([0.5, 2.0], dtype="float64", requires_grad=True)
    >>> tg.gradgradcheck(lambda x: x * x * x, [x])
    True
    """
    settings = Settings(
        eps, atol, rtol, nondet_tol, check_undefined_grad, check_grad_dtypes, check_fwd_over_rev, check_rev_over_rev,
        fast_mode, prefix="second order, ",
    )  # fmt: skip
    report = examine_second(func, inputs, settings, grad_outputs, gen_non_contig_grad_outputs)
    return _verdict(report, raise_exception)


def examine(func: Callable[..., Any], inputs: Any, settings: Settings = Settings()) -> Report:  # noqa: B008
    """`gradcheck` with everything that was found, good or bad."""
    return Check(Problem(func, inputs), settings).run()


def examine_second(
    func: Callable[..., Any], inputs: Any, settings: Settings, grad_outputs: Any = None, non_contiguous: bool = False
) -> Report:
    """`gradgradcheck` with everything that was found, good or bad."""
    first = Problem(func, inputs)
    if grad_outputs is None:
        seeds = [_random_gradient(y, first.points[0], non_contiguous) for y in first.first]
    else:
        seeds = as_list(grad_outputs)
    count = len(first.inputs)
    labels = [f"input {i}" for i in range(count)] + [f"grad_output {i}" for i in range(len(seeds))]

    def gradients(*args: Any) -> Any:
        _, pull = vjp(first.floats, *args[:count], argnums=tuple(first.wanted))
        return pull(args[count:])

    gradients.__name__ = first.name
    inputs = [*first.inputs, *(s if s.requires_grad else _leaf(s) for s in seeds)]
    return Check(Problem(gradients, inputs, labels), settings).run()


def _leaf(x: Tensor) -> Tensor:
    return wrap(x._data, x._device).requires_grad_()


def _random_gradient(y: np.ndarray, like: Tensor, non_contiguous: bool) -> Tensor:
    values = np.random.default_rng(1).standard_normal((*y.shape, 2))
    return wrap(values[..., 0] if non_contiguous else np.array(values[..., 0]), like._device).requires_grad_()


def _verdict(report: Report, raise_exception: bool) -> bool:
    if raise_exception:
        report.raise_first()
    return bool(report)
