"""A scalar function of weights and samples, with its gradient, summed over all samples in one kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.cpu.samples import sum_over_samples
from tinygrad_lite_kernels.expr import Expr, Program, inputs, program

from .tracing import one, partials, plain, positions, signature, trace

Shapes = tuple[tuple[int, ...], ...]


class OverSamples:
    """`function(*arguments)` and its derivatives, summed (or averaged) over samples. See `value_and_grad`."""

    def __init__(self, function: Callable[..., Any], argnums: Any, over: int | Sequence[int], reduce: str):
        if reduce not in ("sum", "mean"):
            raise ValueError(f'value_and_grad: reduce must be "sum" or "mean", got {reduce!r}')
        self.function, self.reduce = plain(function), reduce
        self.count = len(signature(self.function).parameters)
        self.wanted, self.over = positions(argnums, self.count), positions(over, self.count)
        self.single = argnums is not None and np.ndim(argnums) == 0
        if set(self.wanted) & set(self.over):
            raise ValueError("value_and_grad: argnums and over must name different arguments")
        self._programs: dict[Shapes, Program] = {}

    def __call__(self, *args: Any) -> Any:
        arrays, samples = self._checked(args)
        shapes = tuple(a.shape[1:] if i in self.over else a.shape for i, a in enumerate(arrays))
        if shapes not in self._programs:
            self._programs[shapes] = self._trace(shapes)
        fixed = [a.reshape(-1) for i, a in enumerate(arrays) if i not in self.over]
        mapped = [a.reshape(samples, -1).T for i, a in enumerate(arrays) if i in self.over]
        parameters = np.concatenate(fixed) if fixed else np.empty(0, arrays[0].dtype)
        totals = sum_over_samples(self._programs[shapes], parameters, np.concatenate(mapped))
        if self.reduce == "mean":
            totals = totals / samples
        return self._split(totals, shapes)

    def _checked(self, args: Sequence[Any]) -> tuple[list[np.ndarray], int]:
        if len(args) != self.count:
            raise TypeError(f"value_and_grad: the function takes {self.count} arguments, got {len(args)}")
        arrays = float_arrays("value_and_grad", args)
        sizes = {arrays[i].shape[:1] for i in self.over}
        if len(sizes) != 1 or sizes == {()} or sizes == {(0,)}:
            found = ", ".join(f"argument {i}: {arrays[i].shape}" for i in self.over)
            raise ValueError(f"value_and_grad: the samples must have one common, positive first size; {found}")
        return arrays, next(iter(sizes))[0]

    def _trace(self, shapes: Shapes) -> Program:
        """The value and the wanted derivatives; parameters are the first inputs, sample columns the others."""
        order = [i for i in range(self.count) if i not in self.over] + sorted(self.over)
        sizes = [int(np.prod(s, dtype=int)) for s in shapes]
        flat = inputs(sum(sizes))
        parts: dict[int, list[Expr]] = {}
        start = 0
        for i in order:
            parts[i] = flat[start : start + sizes[i]]
            start += sizes[i]
        arguments = [_shaped(parts[i], shapes[i]) for i in range(self.count)]
        value = one("value_and_grad", trace(self.function, arguments))
        wanted = [x for i in self.wanted for x in parts[i]]
        return program([value, *partials(value, wanted)], len(flat))

    def _split(self, totals: np.ndarray, shapes: Shapes) -> Any:
        grads, start = [], 1
        for i in self.wanted:
            size = int(np.prod(shapes[i], dtype=int))
            part = totals[start : start + size].reshape(shapes[i])
            grads.append(part if shapes[i] else float(part))
            start += size
        return float(totals[0]), grads[0] if self.single else tuple(grads)


def float_arrays(name: str, args: Sequence[Any]) -> list[np.ndarray]:
    """The arguments as arrays of one float dtype: the widest that an array among them has, else float64."""
    arrays = [np.asarray(a) for a in args]
    for i, a in enumerate(arrays):
        if a.dtype.kind not in "fiub":
            raise TypeError(f"{name}: argument {i} must hold real numbers, got an array of {a.dtype}")
    floats = [a.dtype for a in arrays if a.ndim and a.dtype.kind == "f"]
    dtype = np.result_type(*floats) if floats else np.dtype(np.float64)
    return [a.astype(dtype, copy=False) for a in arrays]


def _shaped(parts: list[Expr], shape: tuple[int, ...]) -> Any:
    """One expression, or an array of them that is indexed as the argument will be."""
    if not shape:
        return parts[0]
    array = np.empty(len(parts), object)
    array[:] = parts
    return array.reshape(shape)
