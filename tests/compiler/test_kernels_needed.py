"""Kernels are compiled for programs and layouts, never for sizes: of a batch, or of an unrolled loop."""

import numpy as np
from tinygrad_lite_kernels import native

import tinygrad_lite as tg
from tinygrad_lite import nn, optim

F = nn.functional


def classes(batch, *shape):
    rng = np.random.default_rng(0)
    return tg.tensor(rng.random((batch, *shape), np.float32)), tg.tensor(rng.integers(0, 3, batch))


def step_of(model, optimizer):
    @tg.jit
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_a_new_batch_size_compiles_nothing():
    net = nn.Sequential(nn.Linear(20, 17), nn.GELU(), nn.Linear(17, 3))
    step = step_of(net, optim.Adam(net.parameters()))
    step(*classes(16, 20))
    before = len(native._loaded)
    for batch in (17, 40, 300):
        step(*classes(batch, 20))
    assert step.traces == 4
    assert len(native._loaded) == before


class Recurrent(nn.Module):
    """A gated cell, unrolled over the axis of time."""

    def __init__(self, inputs, size):
        super().__init__()
        self.size = size
        self.x, self.h, self.out = nn.Linear(inputs, 2 * size), nn.Linear(size, 2 * size), nn.Linear(size, 3)

    def forward(self, x):
        h = tg.zeros((x.shape[0], self.size))
        for t in range(x.shape[1]):
            new, gate = tg.split(self.x(x[:, t]) + self.h(h), self.size, axis=1)
            keep = tg.sigmoid(gate)
            h = h * keep + tg.tanh(new) * (1 - keep)
        return self.out(h)


def test_a_longer_unrolled_network_needs_no_more_kernels():
    net = Recurrent(4, 6)
    step = step_of(net, optim.SGD(net.parameters(), lr=0.1))
    step(*classes(5, 10, 4))
    before = len(native._loaded)
    x, y = classes(5, 50, 4)
    loss = step(x, y)
    assert len(native._loaded) == before
    assert np.isfinite(loss.item())


def test_a_function_of_one_tensor_and_its_gradient_are_one_kernel():
    """Also where the gradient is a sum over several uses of the tensor."""

    @tg.jit
    def both(x, g):
        y = x * tg.sigmoid(x) + tg.tanh(x) * x
        return y, *tg.autograd.grad(y, x, g)

    x = tg.tensor(np.linspace(-3, 3, 7, dtype=np.float32), requires_grad=True)
    assert len(tg.debug.plan(both, x, tg.ones(7)).kernels) == 1


def test_a_step_with_dropout_does_without_python():
    net = nn.Sequential(nn.Linear(20, 17), nn.ReLU(), nn.Dropout(0.5), nn.Linear(17, 3))
    plan = tg.debug.plan(step_of(net, optim.Adam(net.parameters())), *classes(16, 20))
    assert "call" in {k.kind for k in plan.kernels}
    assert all(k.native for k in plan.kernels)


def products(function, *args):
    return sum("matmul" in k.kind for k in tg.debug.plan(tg.jit(function), *args).kernels)


def test_what_is_computed_twice_from_the_same_is_computed_once():
    a = tg.tensor(np.arange(6.0).reshape(2, 3))
    assert products(lambda a: tg.exp(a @ a.T) + tg.sin(a @ a.T), a) == 1
    assert products(lambda a: (a @ a.T, a @ a.T), a) == 2  # each result is the caller's own


def test_what_is_computed_twice_with_a_change_between_is_computed_twice():
    def changing(a):
        first = tg.exp(a @ a.T)
        a += 1
        return first + tg.sin(a @ a.T)

    before = np.arange(6.0).reshape(2, 3)
    a, jitted = tg.tensor(before), tg.jit(changing)
    wanted = np.exp(before @ before.T) + np.sin((before + 1) @ (before + 1).T)
    assert products(changing, a) == 2
    np.testing.assert_allclose(jitted(a).numpy(), wanted)
    np.testing.assert_array_equal(a.numpy(), before + 1)
