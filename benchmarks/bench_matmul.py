"""The matrix product against NumPy's and jax's, taken in turns, on one thread of one core.

As a command: `python benchmarks/bench_matmul.py [--dtype float32|float64] [--peers numpy,jax] [--only CLASS]` prints
GFLOP/s of each and how many times as fast as each peer we are, for every class of shapes, with geometric means and the
worst shapes. Under pytest-benchmark: `pytest benchmarks/bench_matmul.py`.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from common import Table, clean_environment, machine, medians, peer


def squares(layout: str, *sizes: int) -> list[tuple[int, int, int, str]]:
    """Square products."""
    return [(n, n, n, layout) for n in sizes]


def stacks(*sizes: int) -> list[tuple[int, int, int, str]]:
    """Stacks of small square products; a digit in front of the layout is the number of matrices."""
    return [(n, n, n, f"64{layout}") for n in sizes for layout in ("nn", "nt")]


# rows, columns, depth and layout ("t": that operand is the transpose of a contiguous one)
CLASSES = {
    "square": [
        *squares("nn", 4, 8, 16, 24, 32, 48, 64, 96, 100, 128, 192, 256, 384, 500, 512),
        *squares("nn", 768, 1000, 1024, 1536, 2048),
    ],
    "forward": [
        (m, n, k, "nn")
        for m, n, k in (
            (32, 512, 784), (64, 512, 784), (128, 512, 784), (128, 512, 512), (128, 10, 512), (32, 10, 512),
            (64, 128, 64), (256, 1024, 1024), (1024, 512, 784),
        )
    ],
    "backward TN": [
        (m, n, k, "tn")
        for m, n, k in ((784, 512, 128), (784, 512, 32), (512, 512, 128), (512, 10, 128), (1024, 1024, 256))
    ],
    "backward NT": [
        (m, n, k, "nt")
        for m, n, k in (
            (128, 784, 512), (128, 512, 784), (32, 784, 512), (128, 512, 512), (128, 512, 10), (256, 1024, 1024)
        )
    ],
    "skinny": [
        (1, 512, 784, "nn"), (2, 512, 784, "nn"), (4, 512, 784, "nn"), (8, 512, 784, "nn"), (16, 512, 784, "nn"),
        (1, 4096, 4096, "nn"), (8, 4096, 4096, "nn"), (512, 1, 784, "nn"), (512, 1, 784, "tn"), (4096, 1, 4096, "nn"),
        (512, 4, 784, "nn"), (1, 512, 784, "nt"), (4, 512, 784, "nt"), (8, 512, 784, "nt"), (16, 512, 784, "nt"),
        (1, 4096, 4096, "nt"),
    ],
    "deep, convolution": [
        (32, 500, 110592, "nn"), (64, 12544, 576, "nn"), (16, 784, 144, "nn"), (128, 3136, 1152, "nn"),
        (6, 576, 150, "nn"), (512, 49, 4608, "nn"), (64, 576, 12544, "nt"), (16, 144, 784, "nt"),
    ],
    "square TN": squares("tn", 16, 32, 64, 128, 512, 1024),
    "square NT": squares("nt", 16, 32, 64, 128, 512, 1024),
    "stack": stacks(8, 32, 64),
}  # fmt: skip
SHAPES = [shape for shapes in CLASSES.values() for shape in shapes]


def operands(m: int, n: int, k: int, layout: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Random matrices, or stacks of them, of a layout."""
    rng = np.random.default_rng(0)
    stack = (int(layout[:-2]),) if len(layout) > 2 else ()
    shapes = [(rows, columns) if "n" in side else (columns, rows)
              for side, rows, columns in ((layout[-2], m, k), (layout[-1], k, n))]  # fmt: skip
    a, b = (rng.standard_normal((*stack, *shape)).astype(dtype) for shape in shapes)
    return (a.mT if layout[-2] == "t" else a), (b.mT if layout[-1] == "t" else b)


def rivals(names: list[str], a: np.ndarray, b: np.ndarray) -> list[Callable[[], Any] | None]:
    """The same product by each peer."""
    known = {"numpy": lambda: lambda: np.matmul(a, b), "jax": lambda: _jax(a, b)}
    return [known[name]() for name in names]


def _jax(a: np.ndarray, b: np.ndarray) -> Callable[[], Any] | None:
    """The product of device arrays, transposed inside the compiled function."""
    jax = peer("jax")
    if jax is None:
        return None
    jax.config.update("jax_enable_x64", True)
    turn = [not x.flags.c_contiguous for x in (a, b)]
    x, y = (jax.device_put(v.mT if t else v) for v, t in zip((a, b), turn, strict=True))
    run = jax.jit(lambda x, y: (x.mT if turn[0] else x) @ (y.mT if turn[1] else y))
    return lambda: run(x, y).block_until_ready()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_matmul(benchmark, shape):
    from tinygrad_lite_kernels.cpu.matmul import matmul

    a, b = operands(*shape, "float32")
    result = benchmark(matmul, a, b)
    np.testing.assert_allclose(result, a @ b, rtol=1e-3, atol=2e-3 * shape[2] ** 0.5)


def compare(dtype: str, peers: list[str], only: str) -> None:
    """Print the table of one dtype."""
    from tinygrad_lite_kernels.cpu.matmul import matmul

    print(f"\n{dtype}")
    table = Table(["ours", *peers], "GFLOP/s", width=38)
    for group, shapes in CLASSES.items():
        for m, n, k, layout in shapes if only in group else []:
            a, b = operands(m, n, k, layout, dtype)
            work = 2 * m * n * k * int(layout[:-2] or 1)
            runs = [lambda a=a, b=b: matmul(a, b), *rivals(peers, a, b)]
            # the time of the core, on which nobody else's work counts and the threads of peers do
            times = medians(runs, 21 if work < 1e9 else 9, 4e-3, clock=time.process_time)
            table.line(f"{group} {m}x{n}x{k} {layout}", times, work)
    table.end()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", nargs="+", default=["float32", "float64"], choices=["float32", "float64"])
    parser.add_argument("--peers", default="numpy", help="numpy, jax or both, with a comma between")
    parser.add_argument("--only", default="", help="classes whose name contains this")
    parser.add_argument("--core", type=int, default=-1, help="the core to stay on")
    args = parser.parse_args()
    clean_environment()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[args.core]})
    print(machine("jax"))
    for dtype in args.dtype:
        compare(dtype, args.peers.split(","), args.only)


if __name__ == "__main__":
    main()
