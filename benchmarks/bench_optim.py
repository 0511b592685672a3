"""One step of an optimizer over given gradients, against torch (its default and its fused form) and NumPy by hand.

As a command: `python benchmarks/bench_optim.py [--threads 1]` prints microseconds, GB/s and how many times longer the
others take: for one large parameter, and for the six of an MLP 784-512-256-10, where what a step costs besides
arithmetic counts. Under pytest-benchmark: `pytest benchmarks/bench_optim.py`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from common import Run, Table, clean_environment, machine, medians, peer

import tinygrad_lite as tg
from tinygrad_lite import optim

MLP = [(512, 784), (512,), (256, 512), (256,), (10, 256), (10,)]
SIZES = {"1 x 1,000,000": [(1_000_000,)], "1 x 10,000,000": [(10_000_000,)], "MLP 784-512-256-10": MLP}


class Rule(NamedTuple):
    """An optimizer: its name and options, the bytes that a step moves for each parameter, and the step in NumPy."""

    name: str
    options: dict[str, Any]
    traffic: int
    by_hand: Callable[[list[np.ndarray], list[np.ndarray]], Run]


def sgd(params: list[np.ndarray], grads: list[np.ndarray]) -> Run:
    state = [np.zeros_like(p) for p in params]

    def step() -> None:
        for p, g, m in zip(params, grads, state, strict=True):
            m *= 0.9
            m += g
            p -= 0.01 * m

    return step


def adam(params: list[np.ndarray], grads: list[np.ndarray]) -> Run:
    first, second, count = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params], 0

    def step() -> None:
        nonlocal count
        count += 1
        rate, root = 1e-3 / (1 - 0.9**count), math.sqrt(1 - 0.999**count)
        for p, g, m, v in zip(params, grads, first, second, strict=True):
            m += 0.1 * (g - m)
            v += 0.001 * (g * g - v)
            p -= rate * m / (np.sqrt(v) / root + 1e-8)

    return step


RULES = {
    "SGD with momentum": Rule("SGD", {"lr": 0.01, "momentum": 0.9}, 20, sgd),
    "Adam": Rule("Adam", {"lr": 1e-3}, 28, adam),
}


def arrays(shapes: list[tuple[int, ...]]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Parameters and gradients."""
    rng = np.random.default_rng(0)
    made = [[rng.standard_normal(s, np.float32) for s in shapes] for _ in range(2)]
    return made[0], made[1]


def ours(rule: Rule, params: list[np.ndarray], grads: list[np.ndarray]) -> tuple[Run, list[np.ndarray]]:
    """Our step and the parameters that it changes."""
    tensors = [tg.tensor(p, requires_grad=True) for p in params]
    for t, g in zip(tensors, grads, strict=True):
        t.grad = tg.tensor(g)
    return getattr(optim, rule.name)(tensors, **rule.options).step, [t.detach().numpy() for t in tensors]


def torchs(torch: Any, rule: Rule, params: list[np.ndarray], grads: list[np.ndarray], **more: Any) -> Run:
    tensors = [torch.tensor(p, requires_grad=True) for p in params]
    for t, g in zip(tensors, grads, strict=True):
        t.grad = torch.tensor(g)
    return getattr(torch.optim, rule.name)(tensors, **rule.options, **more).step


@pytest.mark.parametrize("shapes", [MLP, [(1_000_000,)]], ids=["mlp", "1000000"])
@pytest.mark.parametrize("name", RULES)
def test_step(benchmark, name, shapes):
    rule, (params, grads) = RULES[name], arrays(shapes)
    step, after = ours(rule, params, grads)
    hand = rule.by_hand(params, grads)
    step()
    hand()
    for got, wanted in zip(after, params, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
    benchmark(step)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    clean_environment(args.threads)
    torch = peer("torch")
    print(machine("torch"))
    table = Table(["ours", "numpy", *(["torch", "fused"] if torch else [])], "GB/s", width=40)
    for name, rule in RULES.items():
        for size, shapes in SIZES.items():
            params, grads = arrays(shapes)
            runs = [ours(rule, params, grads)[0]]
            if torch:
                runs += [torchs(torch, rule, params, grads), torchs(torch, rule, params, grads, fused=True)]
            runs.insert(1, rule.by_hand(params, grads))
            table.line(f"{name}, {size}", medians(runs), rule.traffic * sum(map(math.prod, shapes)))
    table.end()


if __name__ == "__main__":
    main()
