"""Reductions, scans and sorts against NumPy's, interleaved.

As a command: `python benchmarks/bench_reduce.py [--dtype float32] [--threads 1]` prints GB/s of each and the ratio.
Under pytest-benchmark: `pytest benchmarks/bench_reduce.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from common import Table, clean_environment, machine, medians

# Name, shape, axes. Bias gradients are sums over axis 0, softmax reduces rows, losses and norms reduce everything.
REDUCTIONS = [
    ("sum", (8,), (0,)),
    ("sum", (1000,), (0,)),
    ("sum", (100_000,), (0,)),
    ("sum", (10_000_000,), (0,)),
    ("sum", (128, 10), (1,)),
    ("sum", (4096, 64), (1,)),
    ("sum", (1000, 1000), (1,)),
    ("sum", (128, 10), (0,)),
    ("sum", (128, 512), (0,)),
    ("sum", (4096, 64), (0,)),
    ("sum", (1000, 1000), (0,)),
    ("sum", (60_000, 784), (0,)),
    ("sum", (1_000_000, 2), (0,)),
    ("sum", (32, 64, 28, 28), (0, 2, 3)),
    ("sum", (64, 32, 100), (1,)),
    ("max", (128, 10), (1,)),
    ("max", (4096, 64), (1,)),
    ("max", (1000, 1000), (1,)),
    ("max", (1000, 1000), (0,)),
    ("max", (10_000_000,), (0,)),
    ("prod", (1000, 1000), (0,)),
    ("any", (1000, 1000), (1,)),
]
OTHERS = [
    ("argmax", (128, 10)),
    ("argmax", (1000, 1000)),
    ("cumsum", (1000, 1000)),
    ("cumsum", (1_000_000,)),
    ("argsort", (1000, 100)),
    ("argsort", (100_000,)),
    ("sort", (1000, 100)),
    ("sort", (100_000,)),
]


def reduction(name: str, axes: tuple[int, ...]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Ours and NumPy's."""
    from tinygrad_lite_kernels.cpu.reduce import reduce

    numpys = getattr(np, name)
    return lambda a: reduce(name, a, axes), lambda a: numpys(a, axis=axes)


def other(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Ours and NumPy's, along the last axis; sorts are stable."""
    from tinygrad_lite_kernels.cpu import reduce, scan, sort

    return {
        "argmax": (lambda a: reduce.argreduce("argmax", a, -1), lambda a: np.argmax(a, -1)),
        "cumsum": (lambda a: scan.cumulative("sum", a, -1), lambda a: np.cumsum(a, -1)),
        "argsort": (sort.argsort, lambda a: np.argsort(a, -1, kind="stable")),
        "sort": (sort.sort, lambda a: np.sort(a, -1, kind="stable")),
    }[name]


def data(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Numbers around 1, so that products stay in range."""
    return (1 + np.random.default_rng(0).standard_normal(shape) / 1000).astype(dtype)


@pytest.mark.parametrize("name, shape, axes", REDUCTIONS, ids=str)
def test_reduce(benchmark, name, shape, axes):
    a = data(shape, "float32")
    ours, numpys = reduction(name, axes)
    np.testing.assert_allclose(benchmark(ours, a), numpys(a.astype(np.float64)), rtol=1e-4)


@pytest.mark.parametrize("name, shape", OTHERS, ids=str)
def test_other(benchmark, name, shape):
    a = data(shape, "float32")
    ours, numpys = other(name)
    np.testing.assert_allclose(benchmark(ours, a), numpys(a), rtol=1e-4)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64", "int32", "int64"])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    clean_environment(args.threads)
    print(machine())
    table = Table(["ours", "numpy"], "GB/s")

    def compare(label: str, functions: tuple[Callable[..., Any], ...], a: np.ndarray) -> None:
        table.line(label, medians([partial(f, a) for f in functions]), a.nbytes)

    for name, shape, axes in REDUCTIONS:
        compare(f"{name} {shape} {axes}", reduction(name, axes), data(shape, args.dtype))
    table.end()
    for name, shape in OTHERS:
        compare(f"{name} {shape}", other(name), data(shape, args.dtype))


if __name__ == "__main__":
    main()
