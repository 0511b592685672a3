"""func.checkpoint: the same gradients with less memory, and what would make the second run another one."""

import gc
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import tensors

checkpoint = tg.func.checkpoint
both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])
MB = 2**20


def leaf(*values, device=None):
    return tg.Tensor(list(values), "float64", device, requires_grad=True)


def layer(x, w):
    return tg.tanh(x * w) + x


# ---- the same result ----


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), tensors((3,), low=-2.0, high=2.0, requires_grad=True))
def test_values_and_gradients_are_the_same(depths, x):
    """Any split into checkpointed parts, checkpoints inside of checkpoints too; gradients of w add up part by part."""
    w = leaf(0.5, -1.0, 2.0)

    def plain(x):
        for _ in range(sum(depths) + len(depths)):
            x = layer(x, w)
        return x

    def nested(x, depth):
        x = layer(x, w)
        return checkpoint(nested)(x, depth - 1) if depth else x

    def parts(x):
        for depth in depths:
            x = checkpoint(nested)(x, depth)
        return x

    a, b = plain(x), parts(x)
    assert a.tolist() == b.tolist()
    for one, other in zip(tg.autograd.grad(a.sum(), [x, w]), tg.autograd.grad(b.sum(), [x, w]), strict=True):
        np.testing.assert_allclose(one._data, other._data, rtol=1e-13, atol=1e-15)


@both_devices
def test_derivatives_of_every_order(device):
    x, y = leaf(0.5, 2.0, device=device), leaf(1.5, -1.0, device=device)
    f = checkpoint(lambda x, y: (tg.sin(x) * y, x * x))
    assert tg.gradcheck(f, [x, y]) and tg.gradgradcheck(f, [x, y])
    third = tg.func.grad(tg.func.grad(tg.func.grad(checkpoint(lambda x: x**4))))
    assert third(tg.Tensor(2.0)).item() == pytest.approx(48.0)


@both_devices
def test_random_numbers_are_the_same_again(device):
    """Dropout in several parts, and the numbers after them."""
    dropout = tg.nn.Dropout(0.5)
    x = tg.Tensor(np.ones(1000), device=device, requires_grad=True)

    def model(x, wrap):
        tg.manual_seed(7)
        for _ in range(3):
            x = wrap(lambda x: dropout(tg.exp(x * 0.1)))(x)
        return x, tg.rand(3, device=device).tolist()

    (a, after), (b, after_checkpoints) = model(x, lambda f: f), model(x, checkpoint)
    np.testing.assert_array_equal(a._data, b._data)
    assert after == after_checkpoints
    state = tg.random.default_generator.get_state()
    one, other = (tg.autograd.grad(y.sum(), x)[0] for y in (a, b))
    np.testing.assert_array_equal(one._data, other._data)
    assert 0 < np.count_nonzero(other._data) < 1000
    assert tg.random.default_generator.get_state() == state  # backward draws nothing of its own


def test_parameters_that_are_not_arguments():
    model = tg.nn.Sequential(tg.nn.Linear(3, 4), tg.nn.ReLU(), tg.nn.Linear(4, 2))
    x = tg.randn((5, 3))
    parameters = list(model.parameters())
    expected, found = (tg.autograd.grad((run(x) ** 2).sum(), parameters) for run in (model, checkpoint(model)))
    for a, b in zip(expected, found, strict=True):
        np.testing.assert_array_equal(a._data, b._data)


def test_arguments_and_results_of_any_kind():
    f = checkpoint(lambda d, power, scale=1: {"y": d["x"] ** power * scale, "n": power, "none": None, "x": d["x"]})
    x = leaf(2.0)
    found = f({"x": x}, 3, scale=2)
    assert (found["n"], found["none"], found["x"]) == (3, None, x)
    assert found["y"].tolist() == [16.0]
    (found["y"] + found["x"]).sum().backward()
    assert x.grad.tolist() == [25.0]


def test_where_nothing_is_recorded_it_is_only_the_function():
    f = checkpoint(lambda x: x * 2)
    assert not f(tg.ones(2)).requires_grad
    with tg.no_grad():
        assert not f(leaf(1.0)).requires_grad
    assert f.__wrapped__(3) == 6


def test_outputs_that_are_not_used():
    x = leaf(1.0, 2.0)
    a, b = checkpoint(lambda x: (x * 2, tg.exp(x)))(x)
    a.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [2.0, 2.0]
    b.sum().backward()
    np.testing.assert_allclose(x.grad._data, 2 + np.exp([1.0, 2.0]))


def test_changes_in_place_inside():
    def f(x):
        y = x * 1
        y[0] += 3
        return y * y

    x = leaf(1.0, 2.0)
    checkpoint(f)(x).sum().backward()
    assert x.grad.tolist() == [8.0, 4.0]


def test_hooks_see_complete_gradients():
    log, x = [], leaf(1.0)
    x.register_hook(lambda g: log.append(g.tolist()))
    y = checkpoint(lambda x: x * x + x)(x)
    y.register_hook(lambda g: g * 10)
    (y + x).sum().backward()
    assert log == [[31.0]]


# ---- less memory ----


def peak(function):
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        function()
        return (tracemalloc.get_traced_memory()[1] - before) / MB
    finally:
        tracemalloc.stop()


@both_devices
def test_memory(device):
    """5 parts of 5 results of 1 MB each: with checkpoints 5 MB, those of one part, and gradients instead of 25."""
    x = tg.Tensor(np.ones(MB // 8), device=device, requires_grad=True)

    def part(x):
        for _ in range(5):
            x = tg.tanh(x)
        return x

    def train(part):
        y = x
        for _ in range(5):
            y = part(y)
        y.sum().backward()
        found, x.grad = x.grad, None
        return found

    assert train(part).tolist() == train(checkpoint(part)).tolist()
    assert peak(lambda: train(part)) > 25
    assert peak(lambda: train(checkpoint(part))) < 18


def test_the_graph_is_freed_after_backward():
    x = tg.Tensor(np.ones(MB // 8), requires_grad=True)
    y = checkpoint(lambda x: tg.tanh(x * 2))(x).sum()
    y.backward(retain_graph=True)
    x.grad = None
    assert peak(lambda: tg.autograd.grad(y, x)) < 6
    with pytest.raises(RuntimeError, match="a second time"):
        y.backward()


# ---- what must not change ----


def test_arguments_that_change_before_backward():
    x = leaf(1.0, 2.0) * 1
    y = checkpoint(lambda x: x * x)(x)
    x += 1
    with pytest.raises(RuntimeError, match="<lambda>: its input 0 was changed in place after it was used"):
        y.sum().backward()


@pytest.mark.parametrize("recorded", [True, False])
def test_other_tensors_that_change_before_backward(recorded):
    """The first is saved inside, so its version tells; the second is not, but the second run would find another one."""
    x, saved, added = leaf(1.0), leaf(2.0) * 1, leaf(3.0) * 1
    y = checkpoint(lambda x: x * saved)(x)
    z = checkpoint(lambda x: x * 2 + added)(x)
    with tg.set_grad_enabled(recorded):
        saved += 1
        added += 1
    with pytest.raises(RuntimeError, match="its tensor used inside was changed in place"):
        y.sum().backward()
    if recorded:
        with pytest.raises(RuntimeError, match="or from other tensors; a checkpointed function must compute the same"):
            z.sum().backward()
    else:
        z.sum().backward()
        assert x.grad.tolist() == [2.0]


def test_arguments_that_change_inside():
    def f(x):
        x += 1
        return x * x

    with pytest.raises(RuntimeError, match="checkpoint: f changes an argument in place, so its second run"):
        checkpoint(f)(leaf(1.0) * 1)


def test_a_function_that_computes_something_else_the_second_time():
    calls = []

    def grows(x):
        calls.append(1)
        return x[: len(calls)] * 2

    x = leaf(1.0, 2.0, 3.0)
    y = checkpoint(grows)(x)
    with pytest.raises(RuntimeError, match="the second run of grows gave outputs of other shapes than the first"):
        y.sum().backward()
    assert x.grad is None


def test_an_error_in_the_second_run_leaves_no_trace():
    calls = []

    def fails(x):
        calls.append(tg.rand(1).item())
        if len(calls) > 1:
            raise LookupError("its own")
        return x * 2

    x = leaf(1.0)
    y = checkpoint(fails)(x)
    state = tg.random.default_generator.get_state()
    with pytest.raises(LookupError, match="its own"):
        y.sum().backward()
    assert calls[0] == calls[1]
    assert x.grad is None and tg.is_grad_enabled() and tg.random.default_generator.get_state() == state
