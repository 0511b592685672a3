"""Running sums and products and differences against NumPy; gradients, also of products with zeros."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import arrays, axes_of, both_devices, close, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
SCANS = ["cumulative_sum", "cumulative_prod"]


@pytest.mark.parametrize("name", SCANS)
@given(st.data(), arrays(SHAPES), st.booleans(), devices)
def test_scans(name, data, a, include_initial, device):
    axis, x = data.draw(axes_of(a.ndim)), tensor(a, device)
    expected = getattr(np, name)(a, axis=axis, include_initial=include_initial)
    same(getattr(tg, name)(x, axis=axis, include_initial=include_initial), expected)
    same(getattr(x, name)(dim=axis, include_initial=include_initial), expected)
    dtype = data.draw(st.sampled_from([np.float64, np.float32, np.int64, np.int8]))
    with np.errstate(over="ignore"):
        same(getattr(tg, name)(x, axis=axis, dtype=dtype), getattr(np, name)(a, axis=axis, dtype=dtype))
    if a.ndim == 1:
        same(getattr(tg, name)(x), getattr(np, name)(a))


@given(st.data(), arrays(SHAPES), st.integers(0, 6), devices)
def test_diff(data, a, n, device):
    axis, x = data.draw(axes_of(a.ndim)), tensor(a, device)
    same(tg.diff(x, axis=axis, n=n), np.diff(a, n, axis))
    same(x.diff(dim=axis), np.diff(a, 1, axis))
    ends = [data.draw(arrays(tuple(k if i == axis % a.ndim else m for i, m in enumerate(a.shape)), [a.dtype]))
            for k in (data.draw(st.integers(0, 2)), 1)]  # fmt: skip
    expected = np.diff(a, n, axis, prepend=ends[0], append=ends[1])
    same(tg.diff(x, axis=axis, n=n, prepend=tensor(ends[0], device), append=tensor(ends[1], device)), expected)


@given(arrays(SHAPES, [np.int64, np.float64]), devices)
def test_diff_undoes_cumulative_sum(a, device):
    x = tensor(a, device)
    same(tg.diff(tg.cumulative_sum(x, axis=0, include_initial=True), axis=0), a)


@both_devices
@pytest.mark.parametrize("name", SCANS)
def test_nan_and_infinity_go_on_from_where_they_are(name, device):
    a = np.array([[1.0, np.nan, 2.0], [np.inf, 1.0, -np.inf], [0.0, -0.0, np.inf]])
    with np.errstate(invalid="ignore"):
        same(getattr(tg, name)(tensor(a, device), axis=1), getattr(np, name)(a, axis=1))
        same(getattr(tg, name)(tensor(a, device), axis=0), getattr(np, name)(a, axis=0))


FUNCTIONS = {
    "cumulative_sum": lambda x: tg.cumulative_sum(x, axis=1),
    "with an initial 0": lambda x: tg.cumulative_sum(x, axis=0, include_initial=True),
    "cumulative_prod": lambda x: tg.cumulative_prod(x, axis=1),
    "with an initial 1": lambda x: tg.cumulative_prod(x, axis=-1, include_initial=True),
    "diff": lambda x: tg.diff(x, axis=1, n=2, prepend=x[:, :1] * x[:, :1]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@both_devices
def test_gradients(name, device):
    gradients_agree(lambda x: FUNCTIONS[name](x) ** 2, floats(2, 3, 2, device=device))


@both_devices
@pytest.mark.parametrize("zeros", [[1], [0, 2], [0, 1, 2, 3]])
def test_the_gradient_of_running_products_with_zeros(zeros, device):
    a = np.array([2.0, -3.0, 0.5, 4.0])
    a[zeros] = 0
    x = tensor(a, device, requires_grad=True)
    gradients_agree(lambda x: tg.cumulative_prod(x) * tg.arange(1, 5, dtype=tg.float64, device=device), x)
    tg.cumulative_prod(x).sum().backward()
    others = [[np.prod(np.delete(a[:end], i)) for end in range(i + 1, 5)] for i in range(4)]
    close(x.grad, [sum(parts) for parts in others])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: tg.cumulative_sum(x), ValueError, "cumulative_sum: axis is needed for a tensor with 2 axes"),
        (lambda x: tg.cumulative_prod(x[0, 0]), ValueError, "cumulative_prod: axis is needed for a tensor with 0 axes"),
        (lambda x: tg.cumulative_sum(x, axis=2), ValueError, "cumulative_sum: axis 2 is out of range"),
        (lambda x: tg.cumulative_sum(x, axis=(0, 1)), TypeError, "axis must be one integer"),
        (lambda x: tg.cumulative_sum(x, axis=0, dtype="complex64"), TypeError, "complex64 is not supported"),
        (lambda x: tg.diff(x, n=-1), ValueError, "diff: n must be an integer that is not negative, got -1"),
        (lambda x: tg.diff(x, n=1.5), ValueError, "diff: n must be an integer that is not negative, got 1.5"),
        (lambda x: tg.diff(x, axis=2), ValueError, "diff: axis 2 is out of range"),
        (lambda x: tg.diff(x[0, 0]), ValueError, "diff: axis -1 is out of range for a tensor with 0 axes"),
        (lambda x: tg.diff(x, prepend=x[:1]), ValueError, "does not fit"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call(tg.zeros((2, 3)))
