"""Reductions, scans and sorts against NumPy's, interleaved.

As a command: `python benchmarks/bench_reduce.py [--dtype float32] [--threads 1]` prints GB/s of each and the ratio.
Under pytest-benchmark: `pytest benchmarks/bench_reduce.py`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

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


def seconds(functions: tuple[Callable[..., Any], ...], a: np.ndarray, rounds: int = 15) -> list[float]:
    """Median time of one call of each function, taken in turns."""
    times: list[list[float]] = [[] for _ in functions]
    for f in functions:
        f(a)
    start = time.perf_counter()
    functions[-1](a)
    calls = max(1, int(2e-3 / (time.perf_counter() - start)))
    for _ in range(rounds):
        for f, kept in zip(functions, times, strict=True):
            start = time.perf_counter()
            for _ in range(calls):
                f(a)
            kept.append((time.perf_counter() - start) / calls)
    return [float(np.median(t)) for t in times]


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


def report(label: str, functions: tuple[Callable[..., Any], ...], a: np.ndarray) -> float:
    """Print one line and return the ratio."""
    ours, numpys = seconds(functions, a)
    rates = f"{a.nbytes / ours / 1e9:8.2f} {a.nbytes / numpys / 1e9:8.2f}"
    print(f"{label:>36} {ours * 1e6:10.1f} {numpys * 1e6:10.1f} {rates} {numpys / ours:7.2f}")
    return numpys / ours


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64", "int32", "int64"])
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    from tinygrad_lite_kernels import threads

    threads.set_num_threads(args.threads)
    print(f"{'':>36} {'ours us':>10} {'numpy us':>10} {'GB/s':>8} {'GB/s':>8} {'ratio':>7}")
    ratios = [report(f"{n} {s} {x}", reduction(n, x), data(s, args.dtype)) for n, s, x in REDUCTIONS]
    print(f"geometric mean of the ratio of reductions: {np.exp(np.mean(np.log(ratios))):.2f}")
    for name, shape in OTHERS:
        report(f"{name} {shape}", other(name), data(shape, args.dtype))


if __name__ == "__main__":
    main()
