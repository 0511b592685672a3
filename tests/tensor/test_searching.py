"""Sorting, searching and counting against NumPy: order of equal elements, places of NaN, gradients."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import DTYPES, arrays, axes_of, both_devices, devices, filled, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

nan, inf = np.nan, np.inf
SHAPES = hnp.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
SPECIAL = st.sampled_from([nan, -nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 2.5])


@st.composite
def listed(draw, shape=SHAPES):
    """Arrays with many equal elements, or floats with NaN, infinities and zeros of both signs."""
    if draw(st.booleans()):
        return draw(arrays(shape, DTYPES))
    return draw(hnp.arrays(draw(st.sampled_from([np.float32, np.float64])), draw(shape), elements=SPECIAL))


def places(a, axis, descending=False):
    """The positions that sort, equal elements in their order, NaN as the largest."""
    if not descending:
        return np.argsort(a, axis, kind="stable")
    backwards = np.argsort(np.flip(a, axis), axis, kind="stable")
    return a.shape[axis] - 1 - np.flip(backwards, axis)


@given(st.data(), listed(), st.booleans(), devices)
def test_sort_and_argsort(data, a, descending, device):
    axis, before = data.draw(axes_of(a.ndim)), a.copy()
    x, order = tensor(a, device), places(a, axis, descending)
    same(tg.argsort(x, axis=axis, descending=descending), order)
    same(x.argsort(dim=axis, descending=descending, stable=False), order)
    same(tg.sort(x, axis=axis, descending=descending), np.take_along_axis(a, order, axis))
    np.testing.assert_array_equal(a, before)
    if a.dtype.kind == "f":
        with_gradients = tg.sort(x.detach().clone().requires_grad_(), axis=axis, descending=descending)
        same(with_gradients, np.take_along_axis(a, order, axis))


@given(st.data(), listed(), st.booleans(), devices)
def test_topk(data, a, largest, device):
    axis = data.draw(axes_of(a.ndim))
    k = data.draw(st.integers(0, a.shape[axis]))
    order = np.take(places(a, axis, descending=largest), np.arange(k), axis)
    values, indices = tg.topk(tensor(a, device), k, axis=axis, largest=largest)
    same(values, np.take_along_axis(a, order, axis))
    same(indices, order)


@given(st.data(), listed(filled), devices)
def test_argmax_and_argmin(data, a, device):
    axis, keepdims = data.draw(st.none() | axes_of(a.ndim)), data.draw(st.booleans())
    for name in ("argmax", "argmin"):
        expected = getattr(np, name)(a, axis, keepdims=keepdims)
        same(getattr(tg, name)(tensor(a, device), axis=axis, keepdims=keepdims), expected)
        same(getattr(tensor(a, device), name)(dim=axis, keepdim=keepdims), expected)


@given(st.data(), listed(), devices)
def test_nonzero_and_counts(data, a, device):
    x = tensor(a, device)
    for found, expected in zip(tg.nonzero(x), np.nonzero(a), strict=True):
        same(found, expected)
    axes = tuple(data.draw(st.lists(st.integers(0, a.ndim - 1), unique=True)))
    keepdims = data.draw(st.booleans())
    same(tg.count_nonzero(x, axis=axes, keepdims=keepdims), np.count_nonzero(a, axes or None, keepdims=keepdims)
         if axes else (a != 0).astype(np.int64))  # fmt: skip
    same(x.count_nonzero(), np.int64(np.count_nonzero(a)))


@given(st.data(), arrays(st.tuples(st.integers(0, 6)), [np.float64, np.int64, np.float32]), listed(), devices)
def test_searchsorted(data, vector, wanted, device):
    side = data.draw(st.sampled_from(["left", "right"]))
    ordered, order = np.sort(vector), np.argsort(vector)
    expected = np.searchsorted(ordered, wanted, side)
    x = tensor(wanted, device)
    same(tg.searchsorted(tensor(ordered, device), x, side=side), expected)
    same(tg.searchsorted(tensor(vector, device), x, side=side, sorter=tensor(order, device)), expected)
    same(tg.searchsorted(tensor(ordered, device), 1, side=side), np.searchsorted(ordered, 1, side))
    same(tg.searchsorted(tensor(ordered, device), 0.5, side=side), np.searchsorted(ordered, 0.5, side))


@given(listed(), devices)
def test_unique(a, device):
    x = tensor(a, device)
    values, first, inverse, counts = np.unique(a, True, True, True, equal_nan=False)
    found = tg.unique_all(x)
    for got, expected in zip(found, (values, first, inverse.reshape(a.shape), counts), strict=True):
        same(got, expected)
    same(tg.unique_values(x), values)
    for got, expected in zip(tg.unique_counts(x), (values, counts), strict=True):
        same(got, expected)
    same(tg.unique_inverse(x).inverse_indices, found.inverse_indices.numpy())
    rebuilt = tg.take(found.values, found.inverse_indices.reshape(-1), 0).reshape(a.shape)
    same(rebuilt, a)
    assert (found._fields, tg.unique_counts(x)._fields) == (
        ("values", "indices", "inverse_indices", "counts"), ("values", "counts"),
    )  # fmt: skip


@both_devices
def test_nan_comes_last_and_is_found_first(device):
    x = tg.tensor([1.0, nan, inf, -1.0, nan], device=device)
    same(tg.sort(x), np.float32([-1, 1, inf, nan, nan]))
    same(tg.argsort(x, descending=True), [1, 4, 2, 0, 3])
    assert (tg.argmax(x).item(), tg.argmin(x).item()) == (1, 1)
    same(tg.topk(x, 3).values, np.float32([nan, nan, inf]))
    same(tg.topk(x, 2, largest=False).indices, [3, 0])
    assert tg.unique_values(x).size == 5


# ---- gradients ----

CHOSEN = {
    "sort": lambda x: tg.sort(x, axis=1), "descending": lambda x: tg.sort(x, axis=0, descending=True),
    "topk": lambda x: tg.topk(x, 2, axis=-1).values, "smallest": lambda x: tg.topk(x, 2, axis=0, largest=False).values,
    "argsort": lambda x: tg.take_along_axis(x, tg.argsort(x, axis=1), 1),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOSEN)
@both_devices
def test_gradients(name, device):
    gradients_agree(lambda x: CHOSEN[name](x) ** 2, floats(3, 4, 2, device=device))


@both_devices
def test_equal_elements_get_the_gradient_of_their_place(device):
    x = tg.tensor([2.0, 1.0, 2.0, 1.0], device=device, requires_grad=True)
    (tg.sort(x) * tg.tensor([1.0, 2.0, 3.0, 4.0], device=device)).sum().backward()
    same(x.grad, np.float32([3, 1, 4, 2]))
    x.grad = None
    (tg.topk(x, 3).values * tg.tensor([1.0, 10.0, 100.0], device=device)).sum().backward()
    same(x.grad, np.float32([1, 100, 10, 0]))


def test_positions_and_counts_have_no_gradient():
    x = tg.tensor([3.0, 1.0], requires_grad=True)
    for y in (tg.argsort(x), tg.argmax(x), tg.nonzero(x)[0], tg.count_nonzero(x), tg.topk(x, 1).indices,
              tg.searchsorted(tg.sort(x), x), tg.unique_values(x)):  # fmt: skip
        assert not y.requires_grad


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: tg.sort(x, axis=2), ValueError, "sort: axis 2 is out of range"),
        (lambda x: tg.argsort(x, axis=(0, 1)), TypeError, "argsort: axis must be one integer"),
        (lambda x: tg.sort(x[0, 0]), ValueError, "sort: axis -1 is out of range for a tensor with 0 axes"),
        (lambda x: tg.argmax(x, axis=2), ValueError, "argmax: axis 2 is out of range"),
        (lambda x: tg.argmax(x[:0]), ValueError, "argmax: cannot reduce an empty axis"),
        (lambda x: tg.argmin(x[:0], axis=0), ValueError, "argmin: cannot reduce an empty axis"),
        (lambda x: tg.topk(x, 4), ValueError, "topk: k must be from 0 to 3, the size of axis 1, got 4"),
        (lambda x: tg.topk(x, 1.0), ValueError, "got 1.0"),
        (lambda x: tg.nonzero(x[0, 0]), ValueError, "nonzero: a 0-d tensor has no positions"),
        (lambda x: tg.searchsorted(x, x), ValueError, "searchsorted: needs a sorted vector"),
        (lambda x: tg.searchsorted(x[0], x, side="middle"), ValueError, "got (3,) and 'middle'"),
        (lambda x: tg.searchsorted(x[0], x, sorter=[0.5, 1, 2]), TypeError, "must be integers"),
        (lambda x: tg.searchsorted(x[0], x, sorter=[0, 1, 7]), ValueError, "searchsorted: sorter"),
        (lambda x: tg.searchsorted(x[0], x, sorter=[0, 1]), ValueError, "searchsorted: sorter"),
    ],
)
@both_devices
def test_errors(call, error, text, device):
    with pytest.raises(error, match=re.escape(text)):
        call(tg.zeros((2, 3), device=device))
