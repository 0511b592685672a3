"""Work in blocks, of rows and behind matrix products: the same as eager, at sizes that do not divide evenly."""

import numpy as np
import pytest
from tinygrad_lite_kernels import threads

import tinygrad_lite as tg
from tinygrad_lite import nn, optim
from tinygrad_lite.compiler.rows import LEAST_BYTES

F = nn.functional
RNG = np.random.default_rng(0)


def kinds(jitted):
    """The kinds of nodes in the plan of a function that was traced once."""
    ((compiled,),) = jitted._plans.values()
    return [node.kind for node in compiled.plan.nodes]


def with_gradient(function):
    def run(x, g):
        y = function(x)
        return y, tg.autograd.grad(y, x, g)[0]

    return run


def normalised(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / ((centred * centred).mean(axis=-1, keepdims=True) + 1e-5) ** 0.5


ROW_WISE = {
    "softmax": lambda x: F.softmax(x, -1),
    "log_softmax": lambda x: F.log_softmax(x, -1),
    "normalised": normalised,
    "two sums": lambda x: (x - x.max(axis=-1, keepdims=True)) * tg.exp(x).sum(axis=-1, keepdims=True),
}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(311, 517), (7, 40_003), (3, 53, 401)], ids=str)
@pytest.mark.parametrize("name", ROW_WISE)
def test_rows(name, shape, dtype):
    assert np.prod(shape) * 4 * 3 > LEAST_BYTES
    function = with_gradient(ROW_WISE[name])
    jitted = tg.jit(function)
    x = tg.tensor(RNG.uniform(0.99, 1.01, shape), dtype=dtype, requires_grad=True)
    g = tg.tensor(RNG.standard_normal(shape), dtype=dtype)
    found, wanted = jitted(x, g), function(x, g)
    assert "rows" in kinds(jitted)
    tolerance = 3e-5 if dtype == "float32" else 1e-11
    for a, b in zip(found, wanted, strict=True):
        largest = np.abs(b.detach().numpy()).max()
        np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance * largest)


@pytest.mark.parametrize("shape", [(3, 70_001), (70_001, 1)], ids=str)
def test_reductions_that_are_not_one_kernel(shape):
    x = tg.tensor(RNG.standard_normal(shape), dtype="float32")
    function = lambda x: tg.exp(x - x.max(axis=-1, keepdims=True)) + x.sum(axis=-1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(tg.jit(function)(x).numpy(), function(x).numpy(), rtol=2e-5, atol=2e-4)


def test_what_is_summed_is_stored_where_others_read_it_in_another_shape():
    def function(x):
        y = tg.exp(x)
        return y.sum(axis=1, keepdims=True) * y.reshape(300, 10, 50).max(axis=2)

    x = tg.tensor(RNG.standard_normal((300, 500)), dtype="float32")
    np.testing.assert_allclose(tg.jit(function)(x).numpy(), function(x).numpy(), rtol=1e-5)


def test_a_sum_after_a_change_in_place_is_of_what_was_changed():
    state = tg.tensor(RNG.standard_normal((300, 500)), dtype="float32")
    first = state.numpy().copy()

    @tg.jit
    def step(x):
        state.copy_(x * 2)
        before = state.sum(axis=1)
        state.copy_(tg.exp(state) + before.reshape(300, 1))
        return before, state.sum(axis=1)

    before, after = step(tg.tensor(first))
    np.testing.assert_allclose(before.numpy(), (2 * first).sum(axis=1), rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(after.numpy(), state.numpy().sum(axis=1), rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(state.numpy(), np.exp(2 * first) + before.numpy()[:, None], rtol=1e-4, atol=1e-4)


def test_rows_of_a_weighted_sum_over_all_rows_stay_apart():
    """A reduction over rows needs all of them, so it must not run block by block with what follows it."""
    x = tg.tensor(RNG.standard_normal((601, 307)))
    function = lambda x: x - x.sum(axis=0, keepdims=True) + x.sum(axis=1, keepdims=True)  # noqa: E731
    np.testing.assert_allclose(tg.jit(function)(x).numpy(), function(x).numpy(), rtol=1e-12, atol=1e-12)


SIZES = [(2, 2, 2), (13, 17, 5), (129, 300, 40), (400, 129, 64), (37, 1500, 32), (128, 1025, 300), (260, 515, 1)]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["nn", "nt", "tn"])
@pytest.mark.parametrize(("m", "n", "k"), SIZES)
def test_products_with_bias_and_activation(m, n, k, layout, dtype):
    def function(a, b, bias):
        product = (a.mT if layout[0] == "t" else a) @ (b.mT if layout[1] == "t" else b)
        y = tg.tanh(product + bias)
        return y, y * 2 + bias

    a = tg.tensor(RNG.standard_normal((k, m) if layout[0] == "t" else (m, k)), dtype=dtype)
    b = tg.tensor(RNG.standard_normal((n, k) if layout[1] == "t" else (k, n)), dtype=dtype)
    bias = tg.tensor(RNG.standard_normal(n), dtype=dtype)
    jitted = tg.jit(function)
    tolerance = 2e-5 if dtype == "float32" else 1e-12
    for x, y in zip(jitted(a, b, bias), function(a, b, bias), strict=True):
        np.testing.assert_allclose(x.numpy(), y.numpy(), rtol=tolerance, atol=tolerance)
    assert kinds(jitted) in (["matmul_then"], ["matmul", "elementwise"])


def test_a_kernel_behind_two_products_takes_one_of_them():
    a, b, c = (tg.tensor(RNG.standard_normal((9, 9))) for _ in range(3))
    function = lambda a, b, c: tg.tanh(a @ b + b @ c)  # noqa: E731
    jitted = tg.jit(function)
    np.testing.assert_allclose(jitted(a, b, c).numpy(), function(a, b, c).numpy(), rtol=1e-12)
    assert sorted(kinds(jitted)) == ["matmul", "matmul_then"]


@pytest.mark.parametrize("sizes", [(31, 70, 1300, 9), (200, 1100, 33, 12)], ids=str)
def test_weight_gradients_feed_the_optimizer(sizes):
    batch, inputs, hidden, classes = sizes

    def train(jitted):
        tg.manual_seed(1)
        net = nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, classes))
        rule = optim.Adam(net.parameters(), lr=1e-3)

        def step(x, y):
            rule.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            rule.step()
            return loss

        run = tg.jit(step) if jitted else step
        rng = np.random.default_rng(2)
        x, y = tg.tensor(rng.random((batch, inputs), np.float32)), tg.tensor(rng.integers(0, classes, batch))
        losses = [run(x, y).item() for _ in range(5)]
        assert not jitted or kinds(run).count("matmul_then") >= 3
        return losses, [p.detach().numpy() for p in net.parameters()]

    (losses, weights), (losses2, weights2) = train(True), train(False)
    np.testing.assert_allclose(losses, losses2, rtol=1e-5)
    for a, b in zip(weights, weights2, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_any_number_of_threads_gives_the_same_bits():
    def function(x, w):
        y = F.softmax(tg.tanh(x @ w.mT + 1.0), -1)
        return y, y.sum(axis=0)

    x, w = (tg.tensor(RNG.standard_normal((1200, 900)), dtype="float32") for _ in range(2))
    jitted, found = tg.jit(function), []
    for count in (1, 2, 3):
        threads.set_num_threads(count)
        found.append([y.numpy() for y in jitted(x, w)])
    for other in found[1:]:
        for a, b in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(a, b)
