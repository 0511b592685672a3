"""micrograd's demo on both scalar engines, interleaved: two moons, an MLP 2-16-16-1 of Values, SVM loss and L2.

`python benchmarks/bench_scalar.py` prints the median time of a step: micrograd as it ships, micrograd without the garbage
collector, our Values with the same user code, and the same loss through `scalar.value_and_grad`. Needs the packages
micrograd and scikit-learn (`pip install 'tinygrad_lite[peers,train]'`).
"""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tinygrad_lite import scalar


def moons() -> tuple[list[list[float]], list[int]]:
    """The demo's 100 samples, labels -1 and 1."""
    from sklearn.datasets import make_moons

    x, y = make_moons(n_samples=100, noise=0.1, random_state=1)
    return x.tolist(), (2 * y - 1).tolist()


def step(model: Any, make_value: Callable[[float], Any], x: list[list[float]], y: list[int]) -> float:
    """The demo's training step: 65,818 nodes."""
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


def network(w: Any, x: Any) -> Any:
    """The same MLP on a vector of 337 weights, in the order of `model.parameters()`."""
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
    """The demo's loss for one sample; its mean over samples is the demo's total."""
    return scalar.relu(1 - t * network(w, x)) + 1e-4 * sum(p * p for p in w)


def compiled_step() -> Callable[[], float]:
    """The step through `value_and_grad`, from the same initial weights."""
    x, y = (np.array(a, float) for a in moons())
    random.seed(1337)
    w = np.array([p.data for p in scalar.MLP(2, [16, 16, 1]).parameters()])
    run = scalar.value_and_grad(loss, over=(1, 2), reduce="mean")

    def once() -> float:
        value, grad = run(w, x, y)
        w[:] -= 0.1 * grad
        return value

    return once


def object_step(make_model: Callable[..., Any], make_value: Callable[[float], Any]) -> Callable[[], float]:
    """The step on an engine's own objects."""
    x, y = moons()
    random.seed(1337)
    model = make_model(2, [16, 16, 1])
    return lambda: step(model, make_value, x, y)


def without_collector(run: Callable[[], float]) -> Callable[[], float]:
    """The same with the garbage collector switched off."""

    def once() -> float:
        gc.collect()
        gc.disable()
        try:
            return run()
        finally:
            gc.enable()

    return once


def test_value_step(benchmark):
    pytest.importorskip("sklearn")
    benchmark(object_step(scalar.MLP, scalar.Value))


def main() -> None:
    """Print medians, ratios and the losses, which must agree."""
    from micrograd.engine import Value
    from micrograd.nn import MLP

    runs = {
        "micrograd as it ships": object_step(MLP, Value),
        "micrograd, collector off": without_collector(object_step(MLP, Value)),
        "scalar.Value": object_step(scalar.MLP, scalar.Value),
        "scalar.value_and_grad": compiled_step(),
    }
    start = time.perf_counter()
    first = {name: run() for name, run in runs.items()}
    print(f"first calls, compilation included: {time.perf_counter() - start:.1f} s")
    times: dict[str, list[float]] = {name: [] for name in runs}
    losses = dict(first)
    for _ in range(7):
        for name, run in runs.items():
            start = time.perf_counter()
            losses[name] = run()
            times[name].append(time.perf_counter() - start)
    slowest = float(np.median(times["micrograd as it ships"]))
    for name, kept in times.items():
        median = float(np.median(kept))
        print(f"{name:>26} {median * 1e3:10.3f} ms a step   {slowest / median:9.1f} x   loss {losses[name]:.9f}")


if __name__ == "__main__":
    main()
