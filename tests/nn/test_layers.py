import math

import numpy as np
import pytest
from nn_checks import both_devices, check_gradients, tensor

import tinygrad_lite as tg
from tinygrad_lite import nn

F = nn.functional


@both_devices
@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 3, 4), (0, 4), (2, 0, 4)])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(shape, bias, device):
    rng = np.random.default_rng(0)
    layer = nn.Linear(4, 3, bias, device=device, dtype=tg.float64)
    x = rng.normal(size=shape)
    expected = x @ layer.weight._data.T + (layer.bias._data if bias else 0)
    np.testing.assert_allclose(layer(tensor(x, device))._data, expected, rtol=1e-12)
    if bias:
        check_gradients(F.linear, x, rng.normal(size=(3, 4)), rng.normal(size=3), device=device)
    else:
        check_gradients(F.linear, x, rng.normal(size=(3, 4)), device=device)


@both_devices
def test_gradient_of_the_weight_has_its_layout(device):
    layer = nn.Linear(4, 3, device=device)
    layer(tensor(np.ones((5, 4), np.float32), device)).sum().backward()
    assert layer.weight.grad._data.flags.c_contiguous and layer.weight.grad.shape == (3, 4)


@both_devices
@pytest.mark.parametrize("sizes", [(0, 4), (4, 0), (0, 0)])
def test_linear_without_features(sizes, device):
    layer = nn.Linear(*sizes, device=device)
    x = tensor(np.ones((2, sizes[0]), np.float32), device, True)
    y = layer(x)
    y.sum().backward()
    np.testing.assert_array_equal(y._data, np.zeros((2, sizes[1])) + layer.bias._data)
    assert x.grad.shape == x.shape and layer.weight.grad.shape == (sizes[1], sizes[0])


def test_strided_input():
    layer = nn.Linear(3, 2)
    x = np.random.default_rng(0).normal(size=(3, 8)).astype(np.float32)
    expected = x.T[::2] @ layer.weight._data.T + layer.bias._data
    transposed = tg.permute_dims(tensor(x), (1, 0))[::2]
    np.testing.assert_allclose(layer(transposed)._data, expected, rtol=1e-5)


def test_linear_counts_and_range():
    layer = nn.Linear(784, 512)
    assert sum(p.size for p in layer.parameters()) == 784 * 512 + 512
    bound = 1 / math.sqrt(784)
    for p in layer.parameters():
        assert p.dtype == np.float32 and abs(p._data).max() <= bound
        assert abs(p._data).max() > 0.98 * bound and abs(p._data.mean()) < 0.1 * bound
    np.testing.assert_allclose(layer.weight._data.std(), bound / math.sqrt(3), rtol=0.02)


def test_linear_errors():
    layer = nn.Linear(4, 3)
    with pytest.raises(ValueError, match=r"linear: input of shape \(2, 5\), weight \(3, 4\) and bias \(3,\)"):
        layer(tensor(np.zeros((2, 5), np.float32)))
    with pytest.raises(ValueError, match="do not fit"):
        layer(tensor(np.float32(1)))
    with pytest.raises(TypeError, match="dtypes float64, float32 and float32"):
        layer(tensor(np.zeros((2, 4))))
    for bad in (-1, 2.5, "3"):
        with pytest.raises(ValueError, match="Linear: out_features must be an integer"):
            nn.Linear(3, bad)
    with pytest.raises(ValueError, match="do not fit"):
        nn.Linear(4, 3, bias=False)(tensor(np.zeros((2, 5), np.float32)))


def test_seed_decides_the_start():
    def start(seed):
        tg.manual_seed(seed)
        return nn.Linear(5, 4).weight._data

    np.testing.assert_array_equal(start(1), start(1))
    assert not np.array_equal(start(1), start(2))


@both_devices
def test_dropout(device):
    tg.manual_seed(0)
    x = tensor(np.full((200, 100), 2.0, np.float32), device, True)
    for p in (0.1, 0.5, 0.9):
        x.grad = None
        y = nn.Dropout(p)(x)
        y.sum().backward()
        kept = y._data != 0
        assert abs(kept.mean() - (1 - p)) < 0.02
        np.testing.assert_allclose(y._data[kept], 2 / (1 - p), rtol=1e-6)
        np.testing.assert_allclose(x.grad._data, kept / (1 - p), rtol=1e-6)
        assert kept.any(0).all() and kept.any(1).all()


@both_devices
def test_dropout_at_its_ends(device):
    x = tensor(np.array([1.0, -2.0, math.inf, math.nan]), device, True)
    assert nn.Dropout(0.0)(x) is x and nn.Dropout(0.5).eval()(x) is x and F.dropout(x, 0.5, training=False) is x
    y = nn.Dropout(1.0)(x)
    y.sum().backward()
    np.testing.assert_array_equal(y._data, np.zeros(4))
    np.testing.assert_array_equal(x.grad._data, np.zeros(4))
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="probability between 0 and 1"):
            nn.Dropout(bad)
        with pytest.raises(ValueError, match="probability between 0 and 1"):
            F.dropout(x, bad)


def test_dropout_follows_the_seed_and_is_new_each_time():
    layer = nn.Dropout(0.5)

    def draw(device):
        tg.manual_seed(3)
        x = tensor(np.ones(50, np.float32), device)
        return layer(x)._data, layer(x)._data

    first, second = draw("cpu")
    assert not np.array_equal(first, second)
    for device in ("cpu", "numpy"):
        np.testing.assert_array_equal(draw(device), (first, second))


def fans(shape):
    return shape[1] * math.prod(shape[2:]), shape[0] * math.prod(shape[2:])


@pytest.mark.parametrize("shape", [(300, 200), (40, 30, 5, 5)])
@pytest.mark.parametrize(
    "name, variance",
    [
        ("xavier_uniform_", lambda i, o: 2 / (i + o)),
        ("xavier_normal_", lambda i, o: 2 / (i + o)),
        ("kaiming_uniform_", lambda i, o: 2 / i),
        ("kaiming_normal_", lambda i, o: 2 / i),
    ],
)
def test_variances(name, variance, shape):
    tg.manual_seed(1)
    w = getattr(nn.init, name)(nn.Parameter(np.zeros(shape)))
    expected = variance(*fans(shape))
    np.testing.assert_allclose(w._data.var(), expected, rtol=0.05)
    assert abs(w._data.mean()) < 5 * math.sqrt(expected / w.size)
    if "uniform" in name:
        assert abs(w._data).max() <= math.sqrt(3 * expected)


def test_modes_and_gains():
    w = nn.Parameter(np.zeros((300, 200)))
    nn.init.kaiming_normal_(w, mode="fan_out", nonlinearity="tanh")
    np.testing.assert_allclose(w._data.var(), (5 / 3) ** 2 / 300, rtol=0.05)
    nn.init.xavier_normal_(w, gain=3)
    np.testing.assert_allclose(w._data.var(), 9 * 2 / 500, rtol=0.05)
    gains = {
        "linear": 1,
        "sigmoid": 1,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "selu": 0.75,
        "leaky_relu": math.sqrt(2 / 1.0001),
    }
    assert {n: nn.init.calculate_gain(n) for n in gains} == pytest.approx(gains)
    assert nn.init.calculate_gain("leaky_relu", 1.0) == 1
    with pytest.raises(ValueError, match="not known"):
        nn.init.calculate_gain("swish")
    with pytest.raises(ValueError, match="mode must be"):
        nn.init.kaiming_normal_(w, mode="fan")
    with pytest.raises(ValueError, match="at least two axes"):
        nn.init.xavier_normal_(nn.Parameter(np.zeros(3)))


@both_devices
def test_plain_starting_values(device):
    w = nn.Parameter(np.ones((100, 100), np.float32), device=device)
    data = w._data
    assert (nn.init.constant_(w, 3.5)._data == 3.5).all() and (nn.init.zeros_(w)._data == 0).all()
    assert (nn.init.ones_(w)._data == 1).all()
    nn.init.uniform_(w, -3, 5)
    assert -3 <= w._data.min() < -2.9 and 4.9 < w._data.max() < 5
    nn.init.normal_(w, 2, 0.5)
    assert abs(w._data.mean() - 2) < 0.03 and abs(w._data.std() - 0.5) < 0.02
    assert w._data is data and w.is_leaf and w.requires_grad


@both_devices
def test_training_learns_xor(device):
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2)).to(device)
    x = tensor(np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), device)
    target = tensor([0, 1, 1, 0], device)
    optimizer = tg.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(200):
        loss = F.cross_entropy(net(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02
    assert (net(x)._data.argmax(1) == target._data).all()
