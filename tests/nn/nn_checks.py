"""Independent checks: central differences in float64."""

import numpy as np
import pytest

import tinygrad_lite as tg

both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])


def tensor(data, device=None, requires_grad=False):
    return tg.Tensor(np.asarray(data), device=device, requires_grad=requires_grad)


def slopes(function, arrays, which, weights, step=1e-6):
    """d sum(weights * function) / d arrays[which] by central differences."""
    result = np.zeros(arrays[which].shape)
    for place in np.ndindex(result.shape):
        values = []
        for sign in (1, -1):
            moved = [a.copy() for a in arrays]
            moved[which][place] += sign * step
            values.append((function(*moved) * weights).sum())
        result[place] = (values[0] - values[1]) / (2 * step)
    return result


def check_gradients(function, *arrays, device=None, tolerance=1e-7, order=2):
    """Gradients of a function of tensors agree with central differences, and so do those of the gradients."""
    arrays = [np.asarray(a, np.float64) for a in arrays]

    def values(*moved):
        return np.array(function(*(tensor(a, device) for a in moved))._data, np.float64)

    weights = np.random.default_rng(5).normal(size=values(*arrays).shape)
    tensors = [tensor(a, device, True) for a in arrays]
    (function(*tensors) * tensor(weights, device)).sum().backward()
    for i, t in enumerate(tensors):
        expected = slopes(values, arrays, i, weights)
        assert t.grad is not None and t.grad.dtype == np.float64
        np.testing.assert_allclose(
            t.grad._data, expected, rtol=1e-5, atol=tolerance * max(1, abs(expected).max(initial=0))
        )
    if order > 1:
        for i in range(len(arrays)):
            check_gradients(_gradient_of(function, i, weights, device), *arrays, device=device, order=1, tolerance=1e-6)


def _gradient_of(function, i, weights, device):
    def gradient(*tensors):
        tensors = [t if t.requires_grad else t.detach().requires_grad_() for t in tensors]
        total = (function(*tensors) * tensor(weights, device)).sum()
        found = tg.autograd.grad(total, tensors[i], create_graph=True)[0]
        return found + sum((t * 0).sum() for t in tensors)

    return gradient
