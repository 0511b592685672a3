"""Training for long, and of a large network: memory stays flat, and near what must be kept."""

import gc
import os

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import nn, optim


def resident():
    """Bytes of memory that the process holds."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def step_of(model, optimizer):
    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def peak():
    """The most bytes that the process has held since `forget_peak`."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="the system does not tell the peak")
def test_a_jitted_step_holds_little_more_than_parameters_state_and_activations():
    """The gradient of the large weight goes into Adam's update piece by piece and is never stored."""
    rng = np.random.default_rng(0)
    x, y = tg.tensor(rng.random((32, 20_000), np.float32)), tg.tensor(rng.integers(0, 5, 32))
    for _ in range(2):  # what compiling needs is not counted
        model = nn.Sequential(nn.Linear(20_000, 500), nn.ReLU(), nn.Linear(500, 5))
        before = resident()
        forget_peak()
        step = tg.jit(step_of(model, optim.Adam(model.parameters())))
        for _ in range(3):
            step(x, y)
        new = peak() - before
    parameters, activations = sum(4 * p.size for p in model.parameters()), 4 * 32 * (2 * 500 + 5)
    assert parameters + new <= 1.05 * (3 * parameters + activations)


@pytest.mark.slow
@pytest.mark.parametrize(("jitted", "count", "growth"), [(False, 10_000, 5 << 20), (True, 100_000, 2 << 20)])
def test_memory_stays_flat(jitted, count, growth):
    rng = np.random.default_rng(0)
    x, y = tg.tensor(rng.random((32, 64), np.float32)), tg.tensor(rng.integers(0, 10, 32))
    model = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, 10))
    optimizer = optim.Adam(model.parameters())
    step = step_of(model, optimizer)
    run = tg.jit(step) if jitted else step

    def steps(count):
        for _ in range(count):
            run(x, y)
        return resident()

    after_500 = steps(500)
    assert steps(count - 500) - after_500 < growth
