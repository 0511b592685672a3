"""Elementwise programs along rows, of whose outputs some are stored and others reduced to one number a row.

One loop does both, so that what is only reduced is never stored: exp(x - m) and its sum, say.

operands: outputs, then inputs. meta: elements of a row, then for every operand the bytes between rows. The range counts
rows. Along a row each operand is contiguous (letter "c") or one value that repeats ("s").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from .. import native, threads
from ..expr import Program, step_dtypes
from ..intrinsics import load, pointer, select, store
from ..layout import collapse
from .printer import TYPES, Printer, loaded, memory_name, result, words
from .reduce_combine import combining
from .reduce_kernels import PART, gathered, rounded
from .reduce_plan import GRAIN, IDENTITIES

REDUCTIONS = ("sum", "max", "min")
FLOATS = "fd"


class Layout(NamedTuple):
    """How operands lie along rows of `size` elements: bytes between rows, and a letter for each."""

    size: int
    strides: list[int]
    letters: str


def layout(shape: Sequence[int], count: int, strides: Sequence[Sequence[int]], items: Sequence[int]) -> Layout | None:
    """How operands lie in `count` rows; None where one of them does not lie in rows.

    strides: those that walk each as if it had that shape; items: the bytes of an element.
    """
    leading = next(k for k in range(len(shape) + 1) if math.prod(shape[:k]) == count)
    outer, between = collapse(shape[:leading], [s[:leading] for s in strides])
    inner, steps = collapse(shape[leading:], [s[leading:] for s in strides])
    letters = "".join({0: "s", item: "c"}.get(s[-1], "x") for s, item in zip(steps, items, strict=True))
    if len(outer) > 1 or len(inner) > 1 or "x" in letters:
        return None
    return Layout(inner[0], [s[0] for s in between], letters)


def bind(program: Program, reductions: Sequence[str], dtypes: str, rows: Layout, count: int) -> threads.Launch:
    """A launch that takes the program's outputs, then its inputs.

    reductions: for every output the name of its reduction, or "" where it is stored. dtypes: of the inputs.
    """
    kernel = _kernel(program, tuple(reductions), dtypes, rows.letters)
    return threads.Launch(kernel, [rows.size, *rows.strides], count, -(-GRAIN // rows.size))


@lru_cache(4096)
def _kernel(program: Program, reductions: tuple[str, ...], dtypes: str, letters: str) -> int:
    return native.kernel(kernel_function(program, reductions, dtypes, letters))


def kernel_function(program: Program, reductions: Sequence[str], dtypes: str, letters: str) -> Any:
    """The printed kernel as a Python function."""
    kinds = step_dtypes(program, [np.dtype(c) for c in dtypes])
    scope: dict[str, Any] = {"pointer": pointer, "load": load, "store": store, "select": select, **TYPES}
    scope |= {"gathered": gathered, "rounded": rounded}
    scope |= {f"combine_{name}": combining(name) for name in reductions if name}
    body = Printer(program, kinds, scope).lines()
    operands = [kinds[i] for i in program.outputs] + [kinds[i] for i in range(program.input_count)]
    lines = _lines(program, body, operands, reductions, letters)
    return native.printed("\n".join([*lines, ""]), "kernel", scope)


def _lines(
    program: Program, body: list[str], dtypes: list[np.dtype], reductions: Sequence[str], letters: str
) -> Iterator[str]:
    """The text: for each row, for each part of it that is added before it goes into the total, for each element."""
    count, results = len(reductions), [result(program, k) for k in range(len(reductions))]
    totals = [(k, name, dtypes[k].name) for k, name in enumerate(reductions) if name]
    mentioned = {word for line in [*body, *results] for word in words(line)}
    reads = {k: f"x{k - count}" for k in range(count, len(dtypes)) if f"x{k - count}" in mentioned}
    part = PART // max(dtypes[k].itemsize for k, *_ in totals)
    yield "def kernel(operands, meta, lo, hi):"
    yield "    for i in range(lo, hi):"
    for k in [*range(count), *reads]:
        yield f"        p{k} = pointer(operands[{k}] + i * meta[{k + 1}], {memory_name(dtypes[k])})"
    for k, x in reads.items():
        if letters[k] == "s":
            yield f"        {x} = {loaded(f'load(p{k}, 0, {k})', dtypes[k])}"
    for k, name, kind in totals:
        yield f"        total{k}, lost{k} = {kind}({IDENTITIES[name](dtypes[k])}), {kind}(0)"
    yield f"        for start in range(0, meta[0], {part}):"
    for k, name, kind in totals:
        yield f"            part{k} = {kind}({IDENTITIES[name](dtypes[k])})"
    yield f"            for j in range(start, min(start + {part}, meta[0])):"
    for k, x in reads.items():
        if letters[k] == "c":
            yield f"                {x} = {loaded(f'load(p{k}, j, {k})', dtypes[k])}"
    yield from (f"                {line}" for line in body)
    for k, name in enumerate(reductions):
        stored = f"store(p{k}, j, {memory_name(dtypes[k])}({results[k]}), {k})"
        yield f"                {f'part{k} = combine_{name}(part{k}, {results[k]})' if name else stored}"
    for k, name, _ in totals:
        compensated = f"total{k}, lost{k} = gathered(total{k}, lost{k}, part{k})"
        yield f"            {compensated if name == 'sum' else f'total{k} = combine_{name}(total{k}, part{k})'}"
    for k, name, _ in totals:
        yield f"        store(p{k}, 0, {f'rounded(total{k}, lost{k})' if name == 'sum' else f'total{k}'}, {k})"
