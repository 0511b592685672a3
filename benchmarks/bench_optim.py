"""One step of an optimizer over given gradients: for large parameters, and for the six of an MLP 784-512-256-10.

As a command: `python benchmarks/bench_optim.py` is `tinygrad-lite bench optim`, with all of its options.
Under pytest-benchmark: `pytest benchmarks/bench_optim.py`.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest

from tinygrad_lite.bench.optim import MLP, RULES, arrays, ours
from tinygrad_lite.cli import main


@pytest.mark.parametrize("shapes", [MLP, [(1_000_000,)]], ids=["mlp", "1000000"])
@pytest.mark.parametrize("name", RULES)
def test_step(benchmark, name, shapes):
    rule, (params, grads) = RULES[name], arrays(shapes)
    step, tensors = ours(rule, params, grads)
    hand = rule.by_hand(params, grads)
    step()
    hand()
    for got, wanted in zip(tensors, params, strict=True):
        np.testing.assert_allclose(got.detach().numpy(), wanted, rtol=1e-5, atol=1e-6)
    benchmark(step)


if __name__ == "__main__":
    sys.argv[1:1] = ["bench", "optim"]
    sys.exit(main())
