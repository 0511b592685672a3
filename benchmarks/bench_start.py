"""How long a fresh process takes: to import, and to finish its first training step, of an MLP 784-512-256-10 with Adam.

As a command: `python benchmarks/bench_start.py [--rounds 5]` prints the seconds of whole processes, with a filled
kernel cache and with an empty one, and those of NumPy and torch where they are installed.
Under pytest-benchmark: `pytest benchmarks/bench_start.py`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from common import clean_environment, machine, peer

TRAIN = """
x, classes = np.ones((128, 784), np.float32), np.zeros(128, np.int64)
network = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
optimizer = optim.Adam(network.parameters())
loss = nn.functional.cross_entropy(network(tensor(x)), tensor(classes))
loss.backward()
optimizer.step()
"""
OURS = f"import numpy as np\nfrom tinygrad_lite import nn, optim, tensor{TRAIN}"
TORCH = f"import numpy as np\nfrom torch import nn, optim, from_numpy as tensor{TRAIN}"


def process(code: str, cache: str) -> float:
    """The seconds of a process that runs the code with its kernel cache in a folder."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "TINYGRAD_LITE_CACHE": cache})
    return time.perf_counter() - start


def with_empty_cache(code: str) -> float:
    with tempfile.TemporaryDirectory() as cache:
        return process(code, cache)


@pytest.mark.parametrize("code", ["import tinygrad_lite", OURS], ids=["import", "first step"])
def test_warm_process(benchmark, code, tmp_path):
    process(code, str(tmp_path))
    benchmark.pedantic(process, (code, str(tmp_path)), rounds=3)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    clean_environment()
    print(machine("torch"))
    codes = {"python": "", "import numpy": "import numpy", "import tinygrad_lite": "import tinygrad_lite"}
    codes |= {"first step": OURS}
    if peer("torch"):
        codes |= {"import torch": "import torch", "first step with torch": TORCH}
    times: dict[str, list[float]] = {name: [] for name in codes}
    with tempfile.TemporaryDirectory() as cache:
        process(OURS, cache)
        for _ in range(args.rounds):
            for name, code in codes.items():
                times[name].append(process(code, cache))
    for name, kept in times.items():
        print(f"{name:>32} {np.median(kept):8.3f} s")
    empty = [with_empty_cache(OURS) for _ in range(max(1, args.rounds // 3))]
    print(f"{'first step with an empty cache':>32} {np.median(empty):8.3f} s")


if __name__ == "__main__":
    main()
