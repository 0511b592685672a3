"""Whole Jacobians and Hessians, row by row or column by column."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..ops.movement import concatenate, permute, reshape
from ..tensor import Tensor, wrap
from .linearize import Linearized, zeros_like

Shape = tuple[int, ...]


def jacobian(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, mode: str = "reverse"
) -> Callable[..., Any]:
    """The function that gives every derivative of every element of what `f` returns.

    For an output of shape S and an argument of shape T the result has shape S + T; for several arguments it is a tuple,
    for nested outputs it is nested in the same way. has_aux: as in `grad`.
    mode: "reverse" takes one pass for each output element, "forward" one for each element of the arguments.

    >>> import tinygrad_lite as tg
    >>> tg.func.jacobian(lambda x: x * x)(tg.Tensor([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]])
    """
    if mode not in _MODES:
        raise ValueError(f"jacobian: mode must be 'reverse' or 'forward', got {mode!r}")

    @functools.wraps(f)
    def derivatives(*args: Any, **options: Any) -> Any:
        lin = Linearized("jacobian", functools.partial(f, **options) if options else f, args, argnums, has_aux)
        blocks = _MODES[mode](lin)
        found = lin.rebuild([lin.arguments(row) for row in blocks])
        return (found, lin.aux) if has_aux else found

    return derivatives


def hessian(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """The function that gives the second derivatives of `f`: the Jacobian of its Jacobian.

    For arguments of shapes T and U (argnums a tuple) the entry [T][U] has shape T + U, after the shape of the output.

    >>> import tinygrad_lite as tg
    >>> tg.func.hessian(lambda x: (x * x * x).sum())(tg.Tensor([1.0, 2.0]))
    Tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    return jacobian(jacobian(f, argnums, has_aux), argnums, has_aux)


def basis(pattern: Sequence[Tensor], number: int) -> Iterator[list[Tensor]]:
    """Zeros like the tensors, with a 1 at each position of the one with that number in turn."""
    x = pattern[number]
    others = [zeros_like(p) for p in pattern]
    for position in range(x.size):
        data = np.zeros(x.size, x.dtype)
        data[position] = 1
        yield [wrap(data.reshape(x.shape), x._device) if i == number else z for i, z in enumerate(others)]


def _reverse(lin: Linearized) -> list[list[Tensor]]:
    """blocks[output][argument]: the rows stacked."""
    blocks = []
    for number, y in enumerate(lin.outputs):
        rows = [lin.pull(g) for g in basis(lin.outputs, number)]
        blocks.append([_stack([r[i] for r in rows], y.shape, x) for i, x in enumerate(lin.points)])
    return blocks


def _forward(lin: Linearized) -> list[list[Tensor]]:
    """blocks[output][argument]: the columns stacked, with the axes of the argument moved to the end."""
    push = lin.push()
    stacked = []
    for number, x in enumerate(lin.points):
        columns = [push(t) for t in basis(lin.points, number)]
        stacked.append([_stack([c[i] for c in columns], x.shape, y) for i, y in enumerate(lin.outputs)])
    return [[_swap(column[i], x.ndim) for column, x in zip(stacked, lin.points, strict=True)]
            for i in range(len(lin.outputs))]  # fmt: skip


_MODES: dict[str, Callable[[Linearized], list[list[Tensor]]]] = {"reverse": _reverse, "forward": _forward}


def _stack(parts: Sequence[Tensor], outer: Shape, pattern: Tensor) -> Tensor:
    """Parts of the pattern's shape, one for each position of `outer`."""
    shape = (*outer, *pattern.shape)
    if not parts or not pattern.size:
        return wrap(np.zeros(shape, pattern.dtype), pattern._device)
    return reshape(concatenate.apply([reshape(p, (1, *pattern.shape)) for p in parts], 0), shape)


def _swap(x: Tensor, leading: int) -> Tensor:
    """The first `leading` axes moved to the end."""
    return permute(x, (*range(leading, x.ndim), *range(leading)))
