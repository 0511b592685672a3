"""What an operation costs when there is nothing to compute: calls, recording, the backward sweep; torch and NumPy too.

As a command: `python benchmarks/bench_dispatch.py` prints microseconds for each operation on a few elements, with and
without recording, and for each node of a chain that is swept.
Under pytest-benchmark: `pytest benchmarks/bench_dispatch.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from common import Table, clean_environment, machine, medians, peer

import tinygrad_lite as tg

CHAIN = 1000
VALUES = [[1.0, 2.0], [3.0, 4.0]]

# Each takes two 2 x 2 arrays or tensors of any of the three, and the module that they are from.
OPERATIONS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "x + y": lambda lib, x, y: x + y,
    "x * 2": lambda lib, x, y: x * 2.0,
    "exp(x)": lambda lib, x, y: lib.exp(x),
    "x @ y": lambda lib, x, y: x @ y,
    "sum(x)": lambda lib, x, y: lib.sum(x),
    "x.reshape": lambda lib, x, y: x.reshape(4),
    "x.T": lambda lib, x, y: x.T,
    "x[0]": lambda lib, x, y: x[0],
}


def tensors(lib: Any, recording: bool) -> list[Any]:
    if lib is np:
        return list(np.array([VALUES, VALUES], np.float32))
    return [lib.tensor(VALUES, requires_grad=recording) for _ in range(2)]


def chain(x: Any) -> Any:
    """A chain of CHAIN nodes that ends in a sum."""
    for _ in range(CHAIN // 2):
        x = x * 1.0009 + 0.0001
    return x.sum()


def swept(x: Any) -> Any:
    """The chain, then its backward sweep."""
    x.grad = None
    chain(x).backward()
    return x.grad


@pytest.mark.parametrize("recording", [False, True], ids=["plain", "recording"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_operation(benchmark, name, recording):
    x, y = tensors(tg, recording)
    result = benchmark(OPERATIONS[name], tg, x, y)
    assert result.requires_grad == recording
    wanted = OPERATIONS[name](np, *tensors(np, False))
    np.testing.assert_allclose(result.detach().numpy(), wanted, rtol=1e-6)


@pytest.mark.parametrize("run", [chain, swept])
def test_chain(benchmark, run):
    (x, _) = tensors(tg, True)
    benchmark(run, x)
    np.testing.assert_allclose(swept(x).numpy(), np.full((2, 2), 1.0009 ** (CHAIN // 2)), rtol=1e-3)


def compare(recording: bool, libraries: dict[str, Any]) -> None:
    """Print the table of all operations in all libraries that can record, or in all if nothing is to be recorded."""
    used = {name: lib for name, lib in libraries.items() if lib is not np or not recording}
    table = Table(list(used))
    for name, run in OPERATIONS.items():
        table.line(name, medians([partial(run, lib, *tensors(lib, recording)) for lib in used.values()]))
    table.end()


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    clean_environment()
    torch = peer("torch")
    print(machine("torch"))
    libraries = {"ours": tg, "numpy": np} | ({"torch": torch} if torch else {})
    for recording in (False, True):
        print("\none operation on four elements,", "recorded" if recording else "not recorded")
        compare(recording, libraries)
    print("\neach node of a chain of", CHAIN)
    table = Table(["ours", *(["torch"] if torch else [])])
    starts = [tensors(lib, True)[0] for lib in (tg, torch) if lib]
    forward = [t / CHAIN for t in medians([partial(chain, x) for x in starts])]
    both = [t / CHAIN for t in medians([partial(swept, x) for x in starts])]
    table.line("forward, recorded", forward)
    table.line("backward", [b - f for b, f in zip(both, forward, strict=True)])
    table.end()


if __name__ == "__main__":
    main()
