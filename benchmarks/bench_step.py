"""Whole training steps, eager, against torch eager and NumPy by hand: the same weights to start with, taken in turns.

As a command: `python benchmarks/bench_step.py [--threads 1] [--steps 50]` prints the median time of a step of each,
how many times longer the others take, and the losses, which must agree: a fast wrong answer shows.
Under pytest-benchmark: `pytest benchmarks/bench_step.py`.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pytest
from bench_optim import RULES
from common import Table, clean_environment, machine, medians, peer

import tinygrad_lite as tg
from tinygrad_lite import nn, optim

Step = Callable[[], Any]  # gives the loss


class Model(NamedTuple):
    """An MLP with relu and cross entropy: its widths, the batch, and the entry of `RULES` that trains it."""

    widths: tuple[int, ...]
    batch: int
    rule: str

    @property
    def label(self) -> str:
        return f"MLP {'-'.join(map(str, self.widths))}, batch {self.batch}, {self.rule}"


MODELS = [
    Model((784, 512, 256, 10), 128, "Adam"),
    Model((64, 32, 10), 32, "SGD with momentum"),
]


def data(model: Model) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Inputs, classes, and initial weights and biases in turn."""
    rng = np.random.default_rng(0)
    weights: list[np.ndarray] = []
    for size, width in pairwise(model.widths):
        bound = 1 / math.sqrt(size)
        weights += [rng.uniform(-bound, bound, s).astype(np.float32) for s in ((width, size), (width,))]
    x = rng.standard_normal((model.batch, model.widths[0])).astype(np.float32)
    return x, rng.integers(0, model.widths[-1], model.batch), weights


def module_step(nn: Any, optim: Any, tensor: Any, model: Model, fill: Callable[[Any, np.ndarray], None]) -> Step:
    """The step in the words that we share with torch: given nn, optim, a tensor's maker, and how to set a parameter."""
    x, classes, weights = data(model)
    layers = [layer for sizes in pairwise(model.widths) for layer in (nn.Linear(*sizes), nn.ReLU())]
    network = nn.Sequential(*layers[:-1])
    for parameter, value in zip(network.parameters(), weights, strict=True):
        fill(parameter, value)
    rule = RULES[model.rule]
    optimizer = getattr(optim, rule.name)(network.parameters(), **rule.options)
    inputs, targets = tensor(x), tensor(classes)

    def step() -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(inputs), targets)
        loss.backward()
        optimizer.step()
        return loss

    return step


def ours(model: Model) -> Step:
    def fill(parameter: Any, value: np.ndarray) -> None:
        with tg.no_grad():
            parameter[...] = tg.tensor(value)

    return module_step(nn, optim, tg.tensor, model, fill)


def torchs(torch: Any, model: Model) -> Step:
    def fill(parameter: Any, value: np.ndarray) -> None:
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(value))

    return module_step(torch.nn, torch.optim, torch.from_numpy, model, fill)


def by_hand(model: Model) -> Step:
    """The step as someone would write it who has only NumPy."""
    x, classes, params = data(model)
    grads = [np.zeros_like(p) for p in params]
    update = RULES[model.rule].by_hand(params, grads)
    rows = np.arange(len(x))

    def step() -> float:
        values = [x]
        for weight, bias in zip(params[::2], params[1::2], strict=True):
            hidden = values[-1] @ weight.T
            hidden += bias
            values.append(np.maximum(hidden, 0) if weight is not params[-2] else hidden)
        logits = values.pop()
        logits -= logits.max(axis=1, keepdims=True)
        powers = np.exp(logits)
        total = powers.sum(axis=1, keepdims=True)
        loss = float(np.mean(np.log(total[:, 0]) - logits[rows, classes]))
        slope = powers / total
        slope[rows, classes] -= 1
        slope /= len(x)
        for k in range(len(values) - 1, -1, -1):
            np.matmul(slope.T, values[k], out=grads[2 * k])
            np.sum(slope, axis=0, out=grads[2 * k + 1])
            if k:
                slope = slope @ params[2 * k]
                slope *= values[k] > 0
        update()
        return loss

    return step


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.label)
def test_step(benchmark, model):
    step, hand = ours(model), by_hand(model)
    losses = [(number(step()), hand()) for _ in range(20)]
    np.testing.assert_allclose(*zip(*losses, strict=True), rtol=1e-3)
    benchmark(step)


def number(loss: Any) -> float:
    return loss if isinstance(loss, float) else loss.item()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=50)
    args = parser.parse_args()
    clean_environment(args.threads)
    torch = peer("torch")
    print(machine("torch"))
    for model in MODELS:
        runs = [ours(model), by_hand(model), *([torchs(torch, model)] if torch else [])]
        print(f"\n{model.label}, {args.threads} thread(s)")
        table = Table(["ours", "numpy", *(["torch"] if torch else [])])
        print(f"{'losses of the first step':>36}", *(f"{number(run()):10.6f}" for run in runs))
        table.line("a step", medians(runs, rounds=args.steps, round_seconds=0))
        print(f"{'losses of the last step':>36}", *(f"{number(run()):10.6f}" for run in runs))


if __name__ == "__main__":
    main()
