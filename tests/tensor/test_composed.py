"""Functions made of others: clip, isclose, logaddexp, xlogy, parts of numbers; ordinary and special values."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tensor_checks import arrays, both_devices, close, devices, floats, gradients_agree, same, tensor

import tinygrad_lite as tg

nan, inf = np.nan, np.inf
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1.0 + 1e-6, 1e-9, 1e300, -1e300, inf, -inf, nan]
PAIRS = np.array(list(itertools.product(SPECIAL, repeat=2))).T


@given(st.data(), devices)
def test_clip(data, device):
    drawn = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=2, min_side=0, max_side=3))
    a, low, high = (data.draw(arrays(shape, [np.float64])) for shape in drawn.input_shapes)
    x = tensor(a, device)
    same(tg.clip(x, tensor(low, device), tensor(high, device)), np.clip(a, low, high))
    same(tg.clip(x, -1, 2), np.clip(a, -1, 2))
    same(x.clip(min=-1), np.maximum(a, -1))
    same(x.clip(max=1), np.minimum(a, 1))
    same(tg.clip(x), a)


@both_devices
def test_clip_at_its_edges(device):
    a = np.array([nan, -inf, inf, 0.0, 5.0])
    same(tg.clip(tensor(a, device), -1, 1), [nan, -1, 1, 0, 1])
    same(tg.clip(tensor(a, device), 3, 1), [nan, 1, 1, 1, 1])
    same(tg.clip(tg.tensor([1, 9], device=device), 2, 5), [2, 5])
    same(tg.clip(tg.tensor([1, 9], device=device), 1.5, 5), np.float32([1.5, 5]))
    x = tg.tensor([-1.0, 0.0, 1.0, 2.0, -3.0], device=device, requires_grad=True)
    tg.clip(x, -1, 1).sum().backward()
    same(x.grad, np.float32([1, 1, 1, 0, 0]))  # it passes on the bounds
    low, high = tg.tensor(-1.0, device=device, requires_grad=True), tg.tensor(1.0, device=device, requires_grad=True)
    tg.clip(x.detach(), low, high).sum().backward()
    assert (low.grad.item(), high.grad.item()) == (1, 1)


@pytest.mark.parametrize("equal_nan", [False, True])
@both_devices
def test_isclose(equal_nan, device):
    a, b = PAIRS
    x, y = tensor(a, device), tensor(b, device)
    for rtol, atol in [(1e-5, 1e-8), (0, 0), (0.5, 2.0)]:
        with np.errstate(all="ignore"):
            expected = np.isclose(a, b, rtol, atol, equal_nan)
        same(tg.isclose(x, y, rtol, atol, equal_nan=equal_nan), expected)
        assert tg.allclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan) is bool(expected.all())
    assert tg.allclose(x, x, equal_nan=True) is True and tg.allclose(x, x) is False
    for dtype in (np.uint8, np.int64, np.bool_):
        a, b = np.array([0, 1, 1], dtype), np.array([255, 1, 0], np.uint8).astype(dtype)
        same(tg.isclose(tensor(a, device), tensor(b, device), 0, 2.5, equal_nan), np.isclose(a, b, 0, 2.5))
    assert tg.allclose(tg.tensor([1, 2], device=device), [1, 2]) and x[:2].isclose(0.0).all()


@both_devices
def test_logaddexp(device):
    a, b = PAIRS
    with np.errstate(all="ignore"):
        close(tg.logaddexp(tensor(a, device), tensor(b, device)), np.logaddexp(a, b))
    x = tg.tensor([1e4, -inf, 0.0, -1e4], dtype="float64", device=device, requires_grad=True)
    y = tg.tensor([1e4, 0.0, -inf, 1e4], dtype="float64", device=device, requires_grad=True)
    tg.logaddexp(x, y).sum().backward()
    same(x.grad, [0.5, 0, 1, 0])
    same(y.grad, [0.5, 1, 0, 1])


@both_devices
def test_xlogy(device):
    a, b = PAIRS
    with np.errstate(all="ignore"):
        expected = np.where((a == 0) & ~np.isnan(b), 0, a * np.log(b))
    close(tg.xlogy(tensor(a, device), tensor(b, device)), expected)
    x, y = (tg.zeros(1, dtype="float64", device=device, requires_grad=True) for _ in range(2))
    tg.xlogy(x, y).sum().backward()
    assert y.grad.item() == 0 and not np.isnan(x.grad.item())


@both_devices
def test_gradients(device):
    x, y = floats(2, 3, device=device), floats(3, seed=1, positive=True, device=device)
    gradients_agree(lambda x, y: tg.clip(x, -y, y) * x, x, y)
    gradients_agree(tg.logaddexp, x, y)
    gradients_agree(tg.xlogy, x, y)
    gradients_agree(tg.reciprocal, y)
    gradients_agree(lambda x: tg.real(x) * tg.conj(x), x)


def test_parts_of_real_numbers():
    x = tg.tensor([1, -2])
    assert tg.real(x) is x and tg.conj(x) is x and tg.positive(x) is x
    same(tg.imag(x), [0, 0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: tg.clip(x, [0, 1]), ValueError, "clip: shapes (3,), (2,) do not broadcast"),
        (lambda x: tg.clip("x", 0), TypeError, "clip: argument 0 is not a tensor or a number"),
        (lambda x: tg.clip(x, "a"), TypeError, "clip: argument 1 is not a tensor or a number"),
        (lambda x: tg.isclose(x, [0, 1]), ValueError, "isclose: shapes (3,), (2,) do not broadcast"),
        (lambda x: tg.xlogy(x), TypeError, "xlogy takes 2 arguments, got 1"),
        (lambda x: tg.add(x, tg.ones(2)), ValueError, "add: shapes (3,), (2,) do not broadcast"),
    ],
)
@both_devices
def test_errors(call, error, text, device):
    tg.set_default_device(device)
    with pytest.raises(error, match=re.escape(text)):
        call(tg.ones(3))
