"""A small training step, as people write it, and a machine to compare it with."""

import numpy as np

import tinygrad_lite as tg
from tinygrad_lite import nn, optim
from tinygrad_lite.bench.peaks import Peaks

PEAKS = Peaks(flops=1e11, bandwidth=2e10)


class Training:
    """Two layers and dropout. The same seed gives the same weights, data and noise."""

    def __init__(self, rule=optim.Adam, dropout=0.0):
        tg.manual_seed(5)
        self.model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 3))
        self.optimizer = rule(self.model.parameters(), lr=0.05)
        self.x, self.y = tg.randn((5, 6)), tg.randint(0, 3, (5,))
        self.step = tg.jit(self.eager)

    def eager(self, x, y):
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def everything(self):
        """Parameters, states and counters as arrays."""
        state = self.optimizer.state
        found = [p.detach().numpy().copy() for p in self.model.parameters()]
        for p in self.model.parameters():
            kept = state.get(p, {})
            found += [np.array(v.numpy() if isinstance(v, tg.Tensor) else v) for v in kept.values()]
        return [*found, tg.random.default_generator.state.copy(), self.x.numpy().copy()]
