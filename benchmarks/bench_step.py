"""Whole training steps, eager and jitted, from the same weights as NumPy by hand, whose losses they must have.

As a command: `python benchmarks/bench_step.py` is `tinygrad-lite bench step`, with all of its options.
Under pytest-benchmark: `pytest benchmarks/bench_step.py`.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinygrad_lite.bench.step import QUICK, by_hand, jitted, ours
from tinygrad_lite.cli import main


@pytest.mark.parametrize("make", [ours, jitted], ids=["eager", "jitted"])
@pytest.mark.parametrize("model", QUICK, ids=lambda model: model.label)
def test_step(benchmark, model, make):
    step, hand = make(model), by_hand(model)
    losses = [(step().item(), hand().item()) for _ in range(20)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-3)
    benchmark(step)


if __name__ == "__main__":
    sys.argv[1:1] = ["bench", "step"]
    sys.exit(main())
