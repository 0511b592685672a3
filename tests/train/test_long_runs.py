"""Training for long: memory stays flat."""

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


@pytest.mark.slow
@pytest.mark.parametrize(("jitted", "count", "growth"), [(False, 10_000, 5 << 20), (True, 100_000, 2 << 20)])
def test_memory_stays_flat(jitted, count, growth):
    rng = np.random.default_rng(0)
    x, y = tg.tensor(rng.random((32, 64), np.float32)), tg.tensor(rng.integers(0, 10, 32))
    model = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, 10))
    optimizer = optim.Adam(model.parameters())

    def step(x, y):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    run = tg.jit(step) if jitted else step

    def steps(count):
        for _ in range(count):
            run(x, y)
        return resident()

    after_500 = steps(500)
    assert steps(count - 500) - after_500 < growth
