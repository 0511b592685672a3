"""Values and gradients summed over samples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinygrad_lite import scalar


def perceptron(w, x, t):
    hidden = [scalar.tanh(w[0, k] * x[0] + w[1, k] * x[1] + w[2, k]) for k in range(3)]
    return (sum(w[3, k] * hidden[k] for k in range(3)) - t) ** 2


def perceptron_loss(w, x, t):
    hidden = np.tanh(x @ w[:2] + w[2])
    return (hidden @ w[3] - t) ** 2


@given(st.integers(1, 200), st.sampled_from(["sum", "mean"]), st.sampled_from([np.float32, np.float64]))
@settings(max_examples=15)
def test_sums_over_samples(count, reduce, dtype):
    rng = np.random.default_rng(count)
    w, x, t = rng.normal(size=(4, 3)), rng.normal(size=(count, 2)), rng.normal(size=count)
    step = scalar.value_and_grad(perceptron, over=(1, 2), reduce=reduce)
    value, grad = step(*(a.astype(dtype) for a in (w, x, t)))
    total = getattr(np, reduce)
    tolerance = 1e-4 if dtype == np.float32 else 1e-6
    assert value == pytest.approx(total(perceptron_loss(w, x, t)), rel=tolerance)
    for place in np.ndindex(4, 3):
        up, down = w.copy(), w.copy()
        up[place] += 1e-5
        down[place] -= 1e-5
        wanted = (total(perceptron_loss(up, x, t)) - total(perceptron_loss(down, x, t))) / 2e-5
        assert grad[place] == pytest.approx(wanted, rel=100 * tolerance, abs=100 * tolerance)


def test_samples_are_checked():
    step = scalar.value_and_grad(perceptron, over=(1, 2))
    w = np.zeros((4, 3))
    with pytest.raises(ValueError, match="the samples must have one common, positive first size"):
        step(w, np.zeros((3, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="the samples must have one common, positive first size"):
        step(w, np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(TypeError, match="takes 3 arguments, got 2"):
        step(w, np.zeros((3, 2)))
    with pytest.raises(ValueError, match='reduce must be "sum" or "mean"'):
        scalar.value_and_grad(perceptron, over=(1, 2), reduce="max")
    with pytest.raises(ValueError, match="must name different arguments"):
        scalar.value_and_grad(perceptron, argnums=1, over=(1, 2))
