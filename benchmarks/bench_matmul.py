"""The matrix product against NumPy's, interleaved, on one thread.

As a command: `python benchmarks/bench_matmul.py [--dtype float32]` prints GFLOP/s of each and the ratio.
Under pytest-benchmark: `pytest benchmarks/bench_matmul.py`.
"""

from __future__ import annotations

import argparse

import numpy as np
import pytest
from common import Table, clean_environment, machine, medians

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
    clean_environment()
    from tinygrad_lite_kernels.cpu.matmul import matmul

    print(machine())
    table = Table(["ours", "numpy"], "GFLOP/s", width=24)
    for shape in SHAPES:
        a, b = operands(*shape, args.dtype)
        times = medians([lambda a=a, b=b: matmul(a, b), lambda a=a, b=b: np.matmul(a, b)], round_seconds=5e-3)
        table.line(" ".join(map(str, shape)), times, 2 * shape[0] * shape[1] * shape[2])
    table.end()


if __name__ == "__main__":
    main()
