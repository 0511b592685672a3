"""What a graph of Values must survive: depth, sharing, interruptions; and that it goes away."""

import gc
import math
import weakref

import pytest

from tinygrad_lite.scalar import MLP, Value, derivative


def test_gradients_accumulate_in_leaves_only():
    x = Value(2.0)
    y = x * x
    z = y * 3
    z.backward()
    z.backward()
    assert (x.grad, y.grad) == (24.0, 3.0)
    x.backward()  # a leaf is its own gradient, and accumulates as well
    assert x.grad == 25.0
    x.zero_grad()
    assert x.grad == 0.0


def test_derivative_leaves_gradients_alone():
    x = Value(2.0)
    x.grad = 7.0
    y = x**3
    assert derivative(y, [x, Value(1.0)]) == [12.0, 0.0]
    assert x.grad == 7.0


def test_deep_graphs():
    x = Value(1.0)
    y = x
    for _ in range(300_000):
        y = y * 1.000001
    y.backward()
    assert x.grad == pytest.approx(math.exp(0.3), rel=1e-4)
    del y  # must not exhaust the stack either


def test_a_step_leaves_nothing_for_the_garbage_collector():
    model = MLP(2, [4, 1])
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model.zero_grad()
            (model([1.0, -2.0]) - 1.0).relu().backward()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_values_die_with_their_last_reference():
    x = Value(2.0)
    middle = x * 3
    y = middle + 1
    seen = weakref.ref(middle)
    y.backward()
    derivative(y * y, [x], create_graph=True)
    del middle, y
    assert seen() is None


def test_every_path_counts_once():
    """A ladder of shared values: 2**200 paths, 200 steps."""
    x = Value(1.0)
    y = x
    for _ in range(200):
        y = y + y
    y.backward()
    assert x.grad == 2.0**200
    assert derivative(x, [x]) == [1.0]
    assert derivative(y, [x], create_graph=True)[0].data == 2.0**200


class Unlucky(float):
    """A number that fails when a gradient is multiplied by it."""

    def __mul__(self, other):
        raise KeyboardInterrupt

    __rmul__ = __mul__


@pytest.mark.parametrize("place", range(4))
def test_an_interrupted_sweep_leaves_no_trace(place):
    x = Value(2.0)
    steps = [x * 3]
    for _ in range(3):
        steps.append(steps[-1] * steps[-1] + x)
    node = steps[place]
    kept, node._da = node._da, Unlucky(1.0)
    with pytest.raises(KeyboardInterrupt):
        steps[-1].backward()
    with pytest.raises(KeyboardInterrupt):
        derivative(steps[-1], [x])
    node._da = kept
    (slope,) = derivative(steps[-1], [x])
    value = lambda x: (((3 * x) ** 2 + x) ** 2 + x) ** 2 + x  # noqa: E731
    assert slope == pytest.approx((value(2 + 1e-6) - value(2 - 1e-6)) / 2e-6, rel=1e-6)


def test_gradients_that_are_values():
    """backward(create_graph=True) adds Values to gradients that are there, numbers or Values."""
    x, y = Value(2.0), Value(3.0)
    x.grad = 1.0
    z = x * x * y
    z.backward(create_graph=True)
    assert (x.grad.data, y.grad.data) == (13.0, 4.0)
    assert derivative(x.grad, [x, y]) == [6.0, 4.0]
    z.backward()
    assert float(x.grad) == 25.0
    assert repr(x) == "Value(data=2.0, grad=25.0)"
