"""The matrix product against NumPy's, interleaved, on one thread.

As a command: `python benchmarks/bench_matmul.py [--dtype float32] [--peers torch]` prints GFLOP/s of each and the ratio.
Under pytest-benchmark: `pytest benchmarks/bench_matmul.py`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

import numpy as np
import pytest

SHAPES = [(n, n, n, "nn") for n in (16, 32, 64, 128, 256, 512, 1024)]
SHAPES += [(128, 784, 512, "nn"), (128, 512, 256, "nn"), (128, 256, 10, "nn")]
SHAPES += [(128, 784, 512, "nt"), (128, 512, 256, "nt"), (128, 256, 10, "nt")]  # x @ weight.T
SHAPES += [(784, 128, 512, "tn"), (512, 128, 256, "tn"), (256, 128, 10, "tn")]  # gradients of weights
SHAPES += [(1, 784, 512, "nn"), (1, 784, 512, "nt"), (8, 784, 512, "nt"), (512, 784, 1, "nn")]


def operands(m: int, k: int, n: int, layout: str, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Random matrices; "t" in the layout: that operand is the transpose of a contiguous one."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    return (np.asfortranarray(a) if layout[0] == "t" else a), (np.asfortranarray(b) if layout[1] == "t" else b)


def seconds(functions: list, a: np.ndarray, b: np.ndarray, rounds: int = 15) -> list[float]:
    """Median time of one call of each function, taken in turns."""
    calls = max(1, int(5e-3 / (2e-6 + 2 * a.shape[0] * a.shape[1] * b.shape[1] / 80e9)))
    times: list[list[float]] = [[] for _ in functions]
    for f in functions:
        f(a, b)
    for _ in range(rounds):
        for f, kept in zip(functions, times, strict=True):
            start = time.perf_counter()
            for _ in range(calls):
                f(a, b)
            kept.append((time.perf_counter() - start) / calls)
    return [float(np.median(t)) for t in times]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_matmul(benchmark, shape):
    from tinygrad_lite_kernels.cpu.matmul import matmul

    a, b = operands(*shape, "float32")
    result = benchmark(matmul, a, b)
    np.testing.assert_allclose(result, a @ b, rtol=1e-3, atol=1e-3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    args = parser.parse_args()
    if any(name.startswith("OPENBLAS_") and name != "OPENBLAS_NUM_THREADS" for name in os.environ):
        keep = {k: v for k, v in os.environ.items() if not k.startswith("OPENBLAS_")}
        os.execve(sys.executable, [sys.executable, *sys.argv], keep | {"OPENBLAS_NUM_THREADS": "1"})
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    from tinygrad_lite_kernels import threads
    from tinygrad_lite_kernels.cpu.matmul import matmul

    threads.set_num_threads(1)
    ratios = []
    print(f"{'m k n layout':>22} {'ours':>8} {'numpy':>8} GFLOP/s   ratio")
    for shape in SHAPES:
        a, b = operands(*shape, args.dtype)
        ours, numpys = seconds([matmul, np.matmul], a, b)
        flops = 2 * shape[0] * shape[1] * shape[2]
        ratios.append(numpys / ours)
        print(f"{shape!s:>22} {flops / ours / 1e9:8.1f} {flops / numpys / 1e9:8.1f}           {numpys / ours:5.2f}")
    print(f"geometric mean of the ratio: {np.exp(np.mean(np.log(ratios))):.2f}")


if __name__ == "__main__":
    main()
