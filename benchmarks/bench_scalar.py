"""micrograd's demo on both scalar engines: two moons, an MLP 2-16-16-1 of Values, SVM loss and L2, 65,818 nodes a step.

`python benchmarks/bench_scalar.py` prints the mean time of a step for micrograd as it ships, micrograd without the
garbage collector, our Values with the same user code (both ways), and the same loss through `scalar.value_and_grad`.
Each contestant runs in a process of its own, so that none pays for another's garbage, in several alternating rounds.
The losses after the same number of steps must agree. Needs the packages micrograd and scikit-learn
(`pip install 'tinygrad_lite[peers,train]'`).
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import math
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest


def moons() -> tuple[list[list[float]], list[int]]:
    """The demo's 100 samples, labels -1 and 1."""
    from sklearn.datasets import make_moons

    x, y = make_moons(n_samples=100, noise=0.1, random_state=1)
    return x.tolist(), (2 * y - 1).tolist()


def object_step(engine: str, network: str) -> Callable[[], float]:
    """The demo's training step on an engine's own Values, from the demo's initial weights."""
    make_value, make_model = importlib.import_module(engine).Value, importlib.import_module(network).MLP
    x, y = moons()
    random.seed(1337)
    model = make_model(2, [16, 16, 1])

    def step() -> float:
        inputs = [list(map(make_value, row)) for row in x]
        scores = list(map(model, inputs))
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
        data_loss = sum(losses) * (1.0 / len(losses))
        reg_loss = 1e-4 * sum(p * p for p in model.parameters())
        total = data_loss + reg_loss
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
        return total.data

    return step


def compiled_step() -> Callable[[], float]:
    """The same step through `value_and_grad`, with the weights as a vector in the order of `model.parameters()`."""
    import numpy as np

    from tinygrad_lite import scalar

    def network(w: Any, x: Any) -> Any:
        start, values = 0, list(x)
        for size, outputs, last in ((2, 16, False), (16, 16, False), (16, 1, True)):
            out = []
            for _ in range(outputs):
                total = sum((w[start + i] * values[i] for i in range(size)), w[start + size])
                start += size + 1
                out.append(total if last else scalar.relu(total))
            values = out
        return values[0]

    def loss(w: Any, x: Any, t: Any) -> Any:
        return scalar.relu(1 - t * network(w, x)) + 1e-4 * sum(p * p for p in w)

    x, y = (np.array(a, float) for a in moons())
    random.seed(1337)
    w = np.array([p.data for p in scalar.MLP(2, [16, 16, 1]).parameters()])
    run = scalar.value_and_grad(loss, over=(1, 2), reduce="mean")

    def step() -> float:
        value, grad = run(w, x, y)
        w[:] -= 0.1 * grad
        return value

    return step


class Contestant(NamedTuple):
    """How to make the step, whether the garbage collector runs, and how many steps to time."""

    make: Callable[[], Callable[[], float]]
    collector: bool = True
    steps: int = 10


def micrograd_step() -> Callable[[], float]:
    return object_step("micrograd.engine", "micrograd.nn")


def value_step() -> Callable[[], float]:
    return object_step("tinygrad_lite.scalar", "tinygrad_lite.scalar")


CONTESTANTS = {
    "micrograd as it ships": Contestant(micrograd_step),
    "micrograd, collector off": Contestant(micrograd_step, collector=False),
    "scalar.Value": Contestant(value_step),
    "scalar.Value, collector off": Contestant(value_step, collector=False),
    "scalar.value_and_grad": Contestant(compiled_step, steps=500),
}


def measure(contestant: Contestant) -> dict[str, float]:
    """Mean seconds of a step, and the loss in the tenth. What a step leaves behind when the collector is off is
    collected between steps, outside the time."""
    step = contestant.make()
    step()  # compiles
    seconds, losses = 0.0, []
    for _ in range(contestant.steps):
        if not contestant.collector:
            gc.collect()
            gc.disable()
        start = time.perf_counter()
        losses.append(step())
        seconds += time.perf_counter() - start
        gc.enable()
    return {"seconds": seconds / contestant.steps, "loss": losses[9]}


def in_its_own_process(name: str) -> dict[str, float]:
    """`measure`, in a fresh interpreter."""
    command = [sys.executable, __file__, "--only", name]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_value_step(benchmark):
    pytest.importorskip("sklearn")
    benchmark(value_step())


def test_value_and_grad_step(benchmark):
    pytest.importorskip("sklearn")
    benchmark(compiled_step())


def compare(rounds: int) -> None:
    """Print the median over the rounds and the ratios; stop where losses differ."""
    found = [{name: in_its_own_process(name) for name in CONTESTANTS} for _ in range(rounds)]
    losses = [result["loss"] for one in found for result in one.values()]
    if not all(math.isclose(loss, losses[0], rel_tol=1e-9) for loss in losses):
        raise SystemExit(f"the losses differ: {losses}")
    seconds = {name: statistics.median(one[name]["seconds"] for one in found) for name in CONTESTANTS}
    for name, median in seconds.items():
        ratio = seconds["micrograd as it ships"] / median
        print(f"{name:>28} {median * 1e3:10.3f} ms a step   {ratio:9.1f} x")
    print(f"median of {rounds} rounds, Python {sys.version.split()[0]}; all losses {losses[0]:.9f}")


def main() -> None:
    """The whole comparison, or with --only one contestant in this process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=CONTESTANTS)
    options = parser.parse_args()
    if options.only:
        print(json.dumps(measure(CONTESTANTS[options.only])))
    else:
        compare(options.rounds)


if __name__ == "__main__":
    main()
