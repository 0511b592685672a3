"""Elementwise kernels against NumPy and torch, interleaved: single operations, functions, fused expressions, layouts.

As a command: `python benchmarks/bench_elementwise.py [--size 1000000] [--threads 1]` prints GB/s (of bytes read and
written) and how many times longer the others take. Under pytest-benchmark: `pytest benchmarks/bench_elementwise.py`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from common import Run, Table, clean_environment, machine, medians, peer
from tinygrad_lite_kernels.cpu.elementwise import elementwise
from tinygrad_lite_kernels.expr import Program, functions, inputs, program
from tinygrad_lite_kernels.reference import elementwise as reference

X, Y, Z = inputs(3)


def gelu(x: Any) -> Any:
    return 0.5 * x * (1.0 + functions["erf"](x * math.sqrt(0.5)))


def gelu_slope(x: Any) -> Any:
    bell = functions["exp"](-0.5 * x * x) / math.sqrt(2 * math.pi)
    return 0.5 * (1.0 + functions["erf"](x * math.sqrt(0.5))) + x * bell


class Case(NamedTuple):
    """The same computation for the three: a program, and how NumPy (which has no erf) and torch (the module) do it."""

    program: Program
    numpys: Callable[..., Any] | None
    torchs: Callable[..., Any]


def same(name: str, peers_name: str = "", torch_name: str = "") -> Case:
    """An operation that all have; `peers_name` where NumPy calls it otherwise."""
    count = 2 if name in ("add", "multiply", "divide", "pow", "maximum") else 1
    f, step = getattr(np, peers_name or name), functions[name](*inputs(count))
    return Case(program(step, count), f, lambda torch, *a: getattr(torch, torch_name or name)(*a))


CASES: dict[str, Case] = {
    "add": same("add"),
    "multiply": same("multiply"),
    "x * y + z": Case(program(X * Y + Z, 3), lambda x, y, z: x * y + z, lambda torch, x, y, z: torch.addcmul(z, x, y)),
    "relu": Case(program(functions["relu"](X), 1), lambda x: np.maximum(x, 0), lambda torch, x: torch.relu(x)),
    **{name: same(name) for name in "exp log log1p sin cos tanh sqrt".split()},
    "pow": same("pow", "power"),
    "sigmoid": Case(
        program(functions["sigmoid"](X), 1), lambda x: 1 / (1 + np.exp(-x)), lambda torch, x: torch.sigmoid(x)
    ),
    "gelu": Case(
        program(gelu(X), 1),
        None,
        lambda torch, x: torch.nn.functional.gelu(x),
    ),
    "gelu and its slope times g": Case(
        program([gelu(X), Y * gelu_slope(X)], 2),
        None,
        lambda torch, x, g: (torch.nn.functional.gelu(x), torch.ops.aten.gelu_backward(g, x)),
    ),
}
LAYOUTS: dict[str, Callable[[np.ndarray], tuple[np.ndarray, ...]]] = {
    "matrix + row": lambda a: (a, a[0]),
    "matrix + column": lambda a: (a, a[:, :1]),
    "matrix + transposed": lambda a: (a, a.T),
    "every second + every second": lambda a: (a[:, ::2], a[:, ::2]),
}


def arguments(case: Case, size: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.uniform(0.1, 3, size).astype(np.float32) for _ in range(case.program.input_count)]


def runs(case: Case, arrays: list[np.ndarray] | tuple[np.ndarray, ...], torch: Any) -> list[Run | None]:
    """Ours, NumPy's and (where it is installed) torch's."""
    found = [partial(elementwise(case.program), *arrays), case.numpys and partial(case.numpys, *arrays)]
    if torch:
        found.append(partial(case.torchs, torch, *map(torch.from_numpy, arrays)))
    return found


def moved(case: Case, arrays: Any) -> int:
    """Bytes read and written."""
    size = math.prod(np.broadcast_shapes(*(a.shape for a in arrays)))
    return sum(a.nbytes for a in arrays) + 4 * size * len(case.program.outputs)


@pytest.mark.parametrize("size", [1000, 1_000_000])
@pytest.mark.parametrize("name", CASES)
def test_elementwise(benchmark, name, size):
    case = CASES[name]
    arrays = arguments(case, size)
    exact = reference.elementwise(case.program)(*(a.astype(np.float64) for a in arrays))
    for got, wanted in zip(benchmark(elementwise(case.program), *arrays), exact, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts(benchmark, name):
    arrays = LAYOUTS[name](np.random.default_rng(0).random((1000, 1000)).astype(np.float32))
    (result,) = benchmark(elementwise(CASES["add"].program), *arrays)
    np.testing.assert_array_equal(result, arrays[0] + arrays[1])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    clean_environment(args.threads)
    torch = peer("torch")
    print(machine("torch"))
    names = ["ours", "numpy", *(["torch"] if torch else [])]
    for size in sorted({1000, args.size}):
        print(f"\n{size} elements, float32, {args.threads} thread(s)")
        table = Table(names, "GB/s")
        for name, case in CASES.items():
            arrays = arguments(case, size)
            table.line(name, medians(runs(case, arrays, torch)), moved(case, arrays))
        table.end()
    print("\nlayouts, a million elements")
    table = Table(names, "GB/s")
    square = np.random.default_rng(0).random((1000, 1000)).astype(np.float32)
    for name, layout in LAYOUTS.items():
        arrays = layout(square)
        table.line(name, medians(runs(CASES["add"], arrays, torch)), moved(CASES["add"], arrays))
    table.end()


if __name__ == "__main__":
    main()
