"""Reductions against NumPy, their accuracy where sums are hard, ties, and functions that must not overflow."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import DTYPES, arrays, both_devices, close, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)


@st.composite
def reductions(draw, dtypes=DTYPES, shape=SHAPES):
    """An array, some of its axes as an integer, a tuple or None, and whether to keep them."""
    a = draw(arrays(shape, dtypes))
    axes = draw(st.lists(st.integers(0, a.ndim - 1), unique=True, max_size=a.ndim)) if a.ndim else []
    signed = tuple(i - a.ndim * draw(st.booleans()) for i in axes)
    axis = draw(st.sampled_from([None, signed, *signed[:1]]))
    return a, axis, draw(st.booleans())


def is_empty(a, axis):
    axes = range(a.ndim) if axis is None else np.atleast_1d(axis).astype(int)
    return 0 in [a.shape[i] for i in axes]


@pytest.mark.parametrize("name", ["sum", "prod", "max", "min", "any", "all"])
@given(drawn=reductions(), device=devices)
def test_reductions(name, drawn, device):
    a, axis, keepdims = drawn
    x = tensor(a, device)
    if name in ("max", "min") and is_empty(a, axis):
        with pytest.raises(ValueError, match=f"{name}: cannot reduce an empty axis"):
            getattr(tg, name)(x, axis=axis)
        return
    expected = getattr(np, name)(a, axis=axis, keepdims=keepdims)
    same(getattr(tg, name)(x, axis=axis, keepdims=keepdims), expected)
    same(getattr(x, name)(dim=axis, keepdim=keepdims), expected)


@pytest.mark.parametrize("name", ["sum", "prod"])
@given(drawn=reductions(), dtype=st.sampled_from([np.float64, np.float32, np.int64, np.int8]), device=devices)
def test_the_dtype_of_sums(name, drawn, dtype, device):
    a, axis, keepdims = drawn
    with np.errstate(over="ignore"):
        expected = getattr(np, name)(a, axis=axis, dtype=dtype, keepdims=keepdims)
    same(getattr(tg, name)(tensor(a, device), axis=axis, dtype=dtype, keepdims=keepdims), expected)


@given(drawn=reductions([np.float64, np.int64, np.bool_]), correction=st.sampled_from([0, 1, 0.5, 3]), device=devices)
def test_moments(drawn, correction, device):
    a, axis, keepdims = drawn
    x, kind = tensor(a, device), np.float64 if a.dtype == np.float64 else np.float32
    count = np.ones(a.shape).sum(axis).max(initial=0)
    rtol = 1e-12 if kind == np.float64 else 1e-5
    with np.errstate(all="ignore"):
        mean = np.mean(a, axis, keepdims=keepdims) if count else np.sum(a, axis, keepdims=keepdims) * np.nan
        total = ((a - np.mean(a, axis, keepdims=True)) ** 2).sum(axis, keepdims=keepdims) if count else mean
        var = total / (count - correction) if count > correction else total * np.nan
        for found, expected in [
            (tg.mean(x, axis=axis, keepdims=keepdims), mean),
            (tg.var(x, axis=axis, correction=correction, keepdims=keepdims), var),
            (x.std(axis=axis, correction=correction, keepdims=keepdims), np.sqrt(var)),
        ]:
            assert found.dtype == kind
            close(found, expected, rtol=rtol, atol=rtol)


# ---- numbers that are hard ----


@both_devices
def test_nan_and_infinity(device):
    nan, inf = np.nan, np.inf
    a = np.array([[1.0, nan, 2.0], [inf, 0.0, -inf], [inf, inf, 1.0], [0.0, -0.0, 0.0]])
    x = tensor(a, device)
    with np.errstate(invalid="ignore"):
        for name in ("sum", "prod", "max", "min", "any", "all", "mean", "var", "std"):
            same(getattr(tg, name)(x, axis=1), getattr(np, name)(a, axis=1))
            same(getattr(tg, name)(x), getattr(np, name)(a))


@both_devices
def test_a_long_sum_in_float32_is_accurate(device):
    ones = tg.ones(10_000_000, device=device)
    assert ones.sum().item() == 10_000_000
    assert ones.mean().item() == 1
    a = np.random.default_rng(0).uniform(0, 1, 3_000_000).astype(np.float32)
    assert tensor(a, device).sum().item() == pytest.approx(a.sum(dtype=np.float64), rel=3e-7)
    assert tensor(a.reshape(-1, 3), device).sum(axis=0).numpy() == pytest.approx(
        a.reshape(-1, 3).sum(0, dtype=np.float64), rel=2e-6
    )


@both_devices
@pytest.mark.parametrize("axis", [0, 1])
def test_the_variance_about_a_large_mean(axis, device):
    a = np.random.default_rng(1).normal(0, 1, (200, 300))
    x = tensor(a + 1e8, device)
    close(tg.var(x, axis=axis, correction=1), (a + 1e8).var(axis, ddof=1), rtol=1e-9)
    close(tg.var(x, axis=axis), a.var(axis), rtol=1e-5)
    assert tg.std(tensor(np.full(1000, 1e8 + 0.1), device)).item() < 1e-6
    single = tensor((a + 1e3).astype(np.float32), device)
    close(tg.var(single, axis=axis), np.float32(a + 1e3).astype(np.float64).var(axis), rtol=1e-4)


@both_devices
def test_integers_overflow_as_in_numpy(device):
    a = np.array([2**62, 2**62, 3])
    same(tensor(a, device).sum(), a.sum())
    same(tensor(np.uint8([200, 100]), device).sum(), np.uint64(300))
    same(tensor(np.int8([100, 100]), device).sum(dtype=tg.int8), np.int8(-56))
    same(tensor(np.full(70, 2), device).prod(), np.full(70, 2).prod())


# ---- gradients ----

FUNCTIONS = {
    "sum": lambda x: tg.sum(x, axis=1), "prod": lambda x: tg.prod(x, axis=(0, 2)), "max": lambda x: tg.max(x, axis=2),
    "min": lambda x: tg.min(x, axis=(0, 1), keepdims=True), "mean": tg.mean,
    "var": lambda x: tg.var(x, axis=1, correction=1),
    "std": lambda x: tg.std(x, axis=(0, 2), keepdims=True), "logsumexp": lambda x: tg.logsumexp(x, axis=(0, 2)),
    "softmax": lambda x: tg.softmax(x, axis=1), "log_softmax": lambda x: tg.log_softmax(x, axis=0),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
@both_devices
def test_gradients(name, device):
    gradients_agree(lambda x: FUNCTIONS[name](x) ** 2, floats(2, 3, 2, device=device))


@both_devices
@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_share_the_gradient(name, device):
    x = tg.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 2.0]], device=device, requires_grad=True)
    y = x if name == "max" else -x
    getattr(tg, name)(y, axis=1).sum().backward()
    sign = 1 if name == "max" else -1
    close(x.grad, sign * np.float32([[0.5, 0.5, 0], [1 / 3] * 3]), rtol=1e-6)
    x.grad = None
    getattr(tg, name)(x if name == "max" else -x).backward()
    close(x.grad, sign * np.float32([[0, 0, 0], [1 / 3] * 3]), rtol=1e-6)


@both_devices
def test_the_gradient_of_a_product_with_zeros(device):
    x = tg.tensor([[2.0, 0.0, 3.0], [0.0, 5.0, 0.0], [1.0, 2.0, 3.0]], dtype="float64", device=device)
    gradients_agree(lambda x: tg.prod(x, axis=1), x.requires_grad_())
    tg.prod(x, axis=1).sum().backward()
    same(x.grad, [[0.0, 6, 0], [0, 0, 0], [6, 3, 2]])


@both_devices
def test_the_gradient_of_the_standard_deviation_of_equal_numbers_is_zero(device):
    x = tg.tensor([[1.0, 1.0], [1.0, 3.0]], device=device, requires_grad=True)
    x.std(axis=1).sum().backward()
    same(x.grad, np.array([[0.0, 0.0], [-0.5, 0.5]], np.float32))


# ---- exponentials ----


@both_devices
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_exponentials_of_large_numbers(dtype, device):
    a = np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4, -1e4], [0, 1e4, 1e4]])
    x = tg.tensor(a, dtype=dtype, device=device, requires_grad=True)
    tail = np.log1p(np.exp(-1.0))
    rtol = 1e-6 if dtype == "float32" else 1e-12
    close(tg.logsumexp(x, axis=1), [1e4 + tail, -1e4 + np.log(3), 1e4 + np.log(2)], rtol=rtol)
    p = 1 / (1 + np.exp(-1.0))
    expected = np.array([[p, 1 - p, 0], [1 / 3] * 3, [0, 0.5, 0.5]])
    close(tg.softmax(x, axis=1), expected, rtol=rtol)
    close(tg.log_softmax(x, axis=1)[0], [-tail, -1 - tail, -2e4 - tail], rtol=rtol)
    tg.logsumexp(x, axis=1).sum().backward()
    close(x.grad, expected, rtol=rtol)
    x.grad = None
    tg.log_softmax(x, axis=1)[:, 0].sum().backward()
    close(x.grad, np.array([[1.0, 0, 0]]) - expected, rtol=rtol, atol=rtol)


@both_devices
def test_exponentials_of_infinities(device):
    inf, nan = np.inf, np.nan
    x = tg.tensor([[-inf, 0.0], [-inf, -inf], [inf, 0.0], [nan, 0.0]], dtype="float64", device=device)
    same(tg.logsumexp(x, axis=1), [0.0, -inf, inf, nan])
    same(tg.logsumexp(tg.zeros((2, 0), device=device), axis=1), np.float32([-inf, -inf]))
    same(tg.softmax(x, axis=1)[:2], [[0.0, 1.0], [nan, nan]])
    same(tg.log_softmax(x, axis=1)[0], [-inf, 0.0])
    masked = x[:1].detach().requires_grad_()
    tg.logsumexp(masked, axis=1).sum().backward()
    same(masked.grad, [[0.0, 1.0]])


@given(reductions([np.float64], hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)), devices)
def test_exponentials_against_numpy(drawn, device):
    a, axis, keepdims = drawn
    x = tensor(a, device)
    close(tg.logsumexp(x, axis=axis, keepdims=keepdims), np.log(np.exp(a).sum(axis, keepdims=keepdims)), atol=1e-12)
    one = a.ndim - 1
    close(tg.softmax(x, axis=one), np.exp(a) / np.exp(a).sum(one, keepdims=True))
    close(tg.log_softmax(x, dim=one), a - np.log(np.exp(a).sum(one, keepdims=True)), atol=1e-12)
    assert tg.softmax(tensor(a.astype(np.int64), device)).dtype == tg.float32


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: x.sum(axis=2), ValueError, "sum: axis 2 is out of range for a tensor with 2 axes"),
        (lambda x: x.sum(axis=(0, -2)), ValueError, "sum: axis (0, -2) names an axis twice"),
        (lambda x: x.mean(axis=1.5), TypeError, "mean: axis must be an integer or several, got 1.5"),
        (lambda x: x.var(axis=5), ValueError, "var: axis 5 is out of range"),
        (lambda x: x.std(axis=5), ValueError, "std: axis 5 is out of range"),
        (lambda x: tg.softmax(x, axis=5), ValueError, "softmax: axis 5 is out of range"),
        (lambda x: tg.log_softmax(x, axis=5), ValueError, "log_softmax: axis 5 is out of range"),
        (lambda x: tg.logsumexp(x, axis=5), ValueError, "logsumexp: axis 5 is out of range"),
        (lambda x: x.sum(dtype="float16"), TypeError, "float16 is not supported"),
        (lambda x: tg.sum("text"), TypeError, "sum: argument 0 is not a tensor or a number"),
    ],
)
def test_errors(call, error, text):
    with pytest.raises(error, match=re.escape(text)):
        call(tg.zeros((2, 3)))
