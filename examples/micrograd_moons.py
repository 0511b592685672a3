"""micrograd's demo, twice: two moons told apart by a network of scalars, 2-16-16-1, with the SVM loss.

First on `Value`, written as for micrograd: every number is an object, 65,000 of them a step. Then the same loss as a
function of one sample, which `value_and_grad` compiles into one kernel over all samples: the same numbers, a thousand
times faster. `python examples/micrograd_moons.py` prints (and compiles for some seconds when it runs first):

    Value: loss 0.890178, after 10 steps 0.205476, 63.57 ms a step
    value_and_grad: loss 0.890178, after 10 steps 0.205476, 0.06 ms a step
    value_and_grad, going on: loss 0.217969, after 2000 steps 0.009877, 0.05 ms a step
    100% of the samples are on the right side
    ................................................
    ................................................
    ................................................
    ...............................................#
    ............................................####
    ...............#######..................########
    .............###########.............###########
    ...........##############........###############
    ..........#################...##################
    ........########################################
    .......#########################################
    .......#########################################
    .........###.....###############################
    ................################################
"""

import random
import time
from itertools import pairwise

import numpy as np

from tinygrad_lite import scalar
from tinygrad_lite.scalar import MLP, Value

SIZES = [2, 16, 16, 1]


def moons(count, noise, rng):
    """Points on two half circles that reach into each other, and which one (-1 or 1) each is on."""
    side = np.arange(count) % 2
    angle = rng.uniform(0, np.pi, count)
    x = np.where(side, 1 - np.cos(angle), np.cos(angle))
    y = np.where(side, 0.5 - np.sin(angle), np.sin(angle))
    return np.stack([x, y], 1) + rng.normal(0, noise, (count, 2)), 2.0 * side - 1


def value_step(model, xs, ts, rate):
    """One step of gradient descent on Values, as micrograd's users write it."""
    scores = [model([Value(a) for a in x]) for x in xs]
    losses = [(1 - t * score).relu() for score, t in zip(scores, ts, strict=True)]
    total = sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters())
    model.zero_grad()
    total.backward()
    for p in model.parameters():
        p.data -= rate * p.grad
    return total.data


def network(w, x):
    """The same network as a plain function: w holds every neuron's weights and bias, one neuron after another."""
    start = 0
    for size, count in pairwise(SIZES):
        neurons = w[start : start + (size + 1) * count].reshape(count, size + 1)
        start += neurons.size
        x = neurons[:, :-1] @ x + neurons[:, -1]
        if start < len(w):
            x = [scalar.relu(a) for a in x]
    return x[0]


def loss(w, x, t):
    """Of one sample."""
    return scalar.relu(1 - t * network(w, x))


mean_loss = scalar.value_and_grad(loss, over=(1, 2), reduce="mean")


def compiled_step(w, xs, ts, rate):
    """The same step on arrays. The weights' squares need no compiler."""
    value, gradient = mean_loss(w, xs, ts)
    total = value + 1e-4 * (w @ w)
    w -= rate * (gradient + 2e-4 * w)
    return total


def picture(w, columns=48, rows=14):
    """The sign of the network on a grid."""
    score = np.vectorize(lambda x, y: network(w, np.array([x, y])))
    grid = score(*np.meshgrid(np.linspace(-1.5, 2.5, columns), np.linspace(1.5, -1, rows)))
    return "\n".join("".join("#" if s > 0 else "." for s in row) for row in grid)


def train(name, step, steps):
    """Run the steps; print the loss before and after, and the time."""
    first = step()
    start = time.perf_counter()
    for _ in range(steps - 1):
        last = step()
    milliseconds = (time.perf_counter() - start) / (steps - 1) * 1e3
    print(f"{name}: loss {first:.6f}, after {steps} steps {last:.6f}, {milliseconds:.2f} ms a step")


if __name__ == "__main__":
    random.seed(1337)
    xs, ts = moons(100, 0.1, np.random.default_rng(1))
    model = MLP(2, SIZES[1:])
    w = np.array([p.data for p in model.parameters()])
    train("Value", lambda: value_step(model, xs, ts, 0.1), 10)
    train("value_and_grad", lambda: compiled_step(w, xs, ts, 0.1), 10)
    train("value_and_grad, going on", lambda: compiled_step(w, xs, ts, 0.1), 2000)
    right = np.mean([network(w, x) * t > 0 for x, t in zip(xs, ts, strict=True)])
    print(f"{right:.0%} of the samples are on the right side\n{picture(w)}")
