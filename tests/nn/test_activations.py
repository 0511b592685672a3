import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_checks import both_devices, check_gradients, tensor

import tinygrad_lite as tg
from tinygrad_lite import nn

F = nn.functional
erfc = np.vectorize(math.erfc, otypes=[np.float64])
SIGMOID = lambda x: np.exp(-np.logaddexp(0, -x))  # noqa: E731

# name: (module, formula in NumPy, where its slope jumps)
TABLE = {
    "relu": (nn.ReLU(), lambda x: np.maximum(x, 0), [0]),
    "leaky_relu": (nn.LeakyReLU(0.1), lambda x: np.where(x > 0, x, 0.1 * x), [0]),
    "elu": (nn.ELU(1.5), lambda x: np.where(x > 0, x, 1.5 * np.expm1(np.minimum(x, 0))), [0]),
    "selu": (
        nn.SELU(),
        lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
        [0],
    ),
    "gelu": (nn.GELU(), lambda x: 0.5 * x * erfc(-x / math.sqrt(2)), []),
    "gelu_tanh": (
        nn.GELU("tanh"),
        lambda x: x * SIGMOID(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)),
        [],
    ),
    "silu": (nn.SiLU(), lambda x: x * SIGMOID(x), []),
    "sigmoid": (nn.Sigmoid(), SIGMOID, []),
    "tanh": (nn.Tanh(), np.tanh, []),
    "softplus": (nn.Softplus(beta=2.0), lambda x: np.logaddexp(0, 2 * x) / 2, []),
    "logsigmoid": (nn.LogSigmoid(), lambda x: -np.logaddexp(0, -x), []),
    "hardtanh": (nn.Hardtanh(-1.0, 0.5), lambda x: np.clip(x, -1, 0.5), [-1, 0.5]),
    "softmax": (nn.Softmax(-1), lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True), []),
    "log_softmax": (nn.LogSoftmax(-1), lambda x: x - np.log(np.exp(x).sum(-1, keepdims=True)), []),
    "identity": (nn.Identity(), lambda x: x, []),
}
ELEMENTWISE = [name for name in TABLE if "softmax" not in name]


@both_devices
@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values(name, dtype, device):
    module, formula, _ = TABLE[name]
    x = np.random.default_rng(0).normal(size=(4, 7)).astype(dtype) * 3
    result = module(tensor(x, device))
    assert result.dtype == dtype and result.shape == x.shape
    np.testing.assert_allclose(result._data, formula(x.astype(np.float64)), rtol=1e-5 if dtype == np.float32 else 1e-12)


@both_devices
@pytest.mark.parametrize("name", TABLE)
def test_gradients(name, device):
    module, _, kinks = TABLE[name]
    x = np.array([[-2.5, -1.3, -0.4, 0.3], [0.45, 1.2, 2.0, -0.9]])
    assert all(abs(x - k).min() > 0.01 for k in kinks)
    check_gradients(module, x, device=device)


@both_devices
@pytest.mark.parametrize("name", [n for n in ELEMENTWISE if not TABLE[n][2]])
def test_derivatives_at_zero(name, device):
    """Where a formula is made of two halves, they must meet smoothly."""
    check_gradients(TABLE[name][0], np.array([0.0, -0.0]), device=device)


def test_slopes_at_kinks():
    def slope(module, at):
        x = tensor([float(at)], requires_grad=True)
        module(x).sum().backward()
        return float(x.grad._data[0])

    assert slope(nn.ReLU(), 0) == 0
    assert slope(nn.LeakyReLU(0.1), 0) == 0.1
    assert slope(nn.ELU(2.0), 0) == 2.0
    assert [slope(nn.Hardtanh(), b) for b in (-1, 1, 1.5)] == [1, 1, 0]


LIMITS = {  # at -inf and inf: values, slopes
    "relu": ((0, math.inf), (0, 1)), "leaky_relu": ((-math.inf, math.inf), (0.1, 1)), "elu": ((-1.5, math.inf), (0, 1)),
    "gelu": ((0, math.inf), (0, 1)), "gelu_tanh": ((0, math.inf), (0, 1)), "silu": ((0, math.inf), (0, 1)),
    "sigmoid": ((0, 1), (0, 0)), "tanh": ((-1, 1), (0, 0)), "softplus": ((0, math.inf), (0, 1)),
    "logsigmoid": ((-math.inf, 0), (1, 0)), "hardtanh": ((-1, 0.5), (0, 0)),
}  # fmt: skip


@both_devices
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("huge", [1e4, "max", math.inf])
@pytest.mark.parametrize("name", LIMITS)
def test_huge_arguments(name, dtype, device, huge):
    values, slopes = LIMITS[name]
    huge = np.finfo(dtype).max if huge == "max" else huge
    x = tensor(np.array([-huge, huge, math.nan], dtype), device, True)
    y = TABLE[name][0](x)
    y.sum().backward()
    finite = [v for v, limit in zip(y._data, values, strict=False) if math.isfinite(limit)]
    np.testing.assert_array_equal(finite, np.array([v for v in values if math.isfinite(v)], dtype))
    assert all((v > 1e3) == (limit > 0) for v, limit in zip(y._data, values, strict=False) if math.isinf(limit))
    np.testing.assert_array_equal(x.grad._data[:2], np.array(slopes, dtype))
    assert np.isnan(y._data[2])


@both_devices
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_forward_and_backward_are_one_operation_each(name, device):
    x = tensor(np.ones((2, 3), np.float32), device, True)
    y = TABLE[name][0](x)
    assert name == "identity" or y._node.edges[0] is x


@both_devices
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), ()])
def test_empty_and_0d(shape, device):
    for name in ELEMENTWISE:
        x = tensor(np.zeros(shape, np.float32), device, True)
        y = TABLE[name][0](x)
        y.sum().backward()
        assert y.shape == x.grad.shape == shape


@both_devices
def test_softmax_shapes_and_axes(device):
    x = np.random.default_rng(1).normal(size=(2, 3, 4))
    for dim in (-3, -1, 0, 1, 2):
        expected = np.exp(x) / np.exp(x).sum(dim, keepdims=True)
        np.testing.assert_allclose(F.softmax(tensor(x, device), dim)._data, expected, rtol=1e-12)
        np.testing.assert_allclose(F.log_softmax(tensor(x, device), dim)._data, np.log(expected), rtol=1e-10)
    check_gradients(lambda t: F.softmax(t, 1), x[:, :, :2], device=device)
    check_gradients(lambda t: F.log_softmax(t, 0), x[:, :2, :2], device=device)
    assert F.softmax(tensor(np.zeros((0, 3)), device), 1).shape == (0, 3)


@both_devices
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_softmax_is_stable(dtype, device):
    top = np.finfo(dtype).max
    x = tensor(
        np.array([[1e4, 1e4 - 1, -1e4], [top, -top, 0], [-top, -top, -top], [-math.inf, 0, 0]], dtype), device, True
    )
    p = F.softmax(x)
    e = 1 / (1 + math.exp(-1))
    expected = [[e, 1 - e, 0], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0.5, 0.5]]
    np.testing.assert_allclose(p._data, np.array(expected), rtol=1e-6)
    (p * p).sum().backward()
    assert np.isfinite(x.grad._data).all()
    x.grad = None
    log_p = F.log_softmax(x)
    log_p[:, 1:2].sum().backward()
    assert np.isfinite(x.grad._data).all() and log_p._data[3, 0] == -math.inf


def test_softmax_errors():
    with pytest.raises(TypeError, match="softmax: the input must be float32"):
        F.softmax(tensor([1, 2]))
    with pytest.raises(ValueError, match="out of range"):
        F.softmax(tensor([1.0, 2.0]), 1)
    with pytest.raises(ValueError, match="size 0"):
        F.log_softmax(tensor(np.zeros((2, 0))))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.floats(-50, 50), min_size=2, max_size=20))
def test_monotone(values):
    x = np.sort(np.array(values))
    for name in ("relu", "elu", "sigmoid", "tanh", "softplus", "logsigmoid", "hardtanh"):
        y = TABLE[name][0](tensor(x))._data
        assert all(a <= b + 1e-15 for a, b in pairwise(y))


def test_options_and_text():
    assert repr(nn.LeakyReLU(0.2)) == "LeakyReLU(negative_slope=0.2)"
    assert repr(nn.GELU()) == "GELU(approximate='none')"
    assert repr(nn.ReLU()) == "ReLU()"
    with pytest.raises(TypeError):
        nn.ReLU(3)
    with pytest.raises(TypeError):
        nn.LeakyReLU(slope=0.1)
    with pytest.raises(ValueError, match="approximate must be"):
        F.gelu(tensor([1.0]), "erf")
    with pytest.raises(ValueError, match="min_val"):
        F.hardtanh(tensor([1.0]), 2.0, 1.0)


def test_float32_stays_float32():
    x = tensor(np.ones(3, np.float32))
    for name in TABLE:
        assert TABLE[name][0](x).dtype == np.float32


def test_pickles():
    import pickle

    for name in TABLE:
        again = pickle.loads(pickle.dumps(TABLE[name][0]))
        assert repr(again) == repr(TABLE[name][0])
    assert tg.nn.ReLU.__module__ == "tinygrad_lite.nn.activation"
