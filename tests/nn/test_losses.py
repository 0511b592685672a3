import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nn_checks import both_devices, check_gradients, tensor

import tinygrad_lite as tg
from tinygrad_lite import nn

F = nn.functional
REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda x: x}
reductions = pytest.mark.parametrize("reduction", REDUCE)


def log_softmax(x, axis):
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


def cross_entropy(x, target, weight=None, ignore=-100, reduction="mean", smoothing=0.0):
    """Straight from the definition, one sample after another."""
    x = np.moveaxis(np.asarray(x, np.float64), min(x.ndim - 1, 1), -1)
    classes = x.shape[-1]
    w = np.ones(classes) if weight is None else weight
    losses, total = np.zeros(target.shape), 0.0
    for place in np.ndindex(target.shape):
        t = target[place]
        if t == ignore:
            continue
        log_p = log_softmax(x[place], -1)
        q = np.full(classes, smoothing / classes)
        q[t] += 1 - smoothing
        losses[place] = -(q * w * log_p).sum()
        total += w[t]
    return losses.sum() / total if reduction == "mean" else REDUCE[reduction](losses)


@both_devices
@reductions
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ignore", [-100, 1])
@pytest.mark.parametrize("shape", [(4, 3), (3,), (2, 3, 2), (2, 4, 1, 3)])
def test_cross_entropy(shape, ignore, weighted, smoothing, reduction, device):
    rng = np.random.default_rng(3)
    axis = min(len(shape) - 1, 1)
    x, target = rng.normal(size=shape) * 3, rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    if len(shape) > 1:
        target.reshape(-1)[:2] = ignore, 2
    elif ignore == 1:
        target = np.asarray(2)
    weight = rng.uniform(0.5, 2, shape[axis]) if weighted else None
    w = None if weight is None else tensor(weight, device)

    def loss(logits):
        return F.cross_entropy(logits, tensor(target, device), w, ignore, reduction, smoothing)

    expected = cross_entropy(x, target, weight, ignore, reduction, smoothing)
    np.testing.assert_allclose(loss(tensor(x, device))._data, expected, rtol=1e-10)
    check_gradients(loss, x, device=device, order=2 if x.size < 13 else 1)


@both_devices
@reductions
def test_cross_entropy_of_probabilities(reduction, device):
    rng = np.random.default_rng(4)
    x, q = rng.normal(size=(3, 4, 2)), rng.dirichlet(np.ones(4), (3, 2)).transpose(0, 2, 1)
    for weight, smoothing in ((None, 0.0), (rng.uniform(0.5, 2, 4), 0.2)):
        w = np.ones(4) if weight is None else weight
        losses = -((q * (1 - smoothing) + smoothing / 4) * w[:, None] * log_softmax(x, 1)).sum(1)
        found = F.cross_entropy(
            tensor(x, device),
            tensor(q, device),
            None if weight is None else tensor(w, device),
            -100,
            reduction,
            smoothing,
        )
        np.testing.assert_allclose(found._data, REDUCE[reduction](losses), rtol=1e-10)
    check_gradients(lambda a, b: F.cross_entropy(a, b, reduction=reduction), x[:2, :3, 0], q[:2, :3, 0], device=device)


@both_devices
@settings(deadline=None, max_examples=30)
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
def test_cross_entropy_gradient_is_softmax_minus_onehot(device, n, classes, seed, dtype):
    rng = np.random.default_rng(seed)
    x = (rng.normal(size=(n, classes)) * rng.choice([0.1, 10, 1000])).astype(dtype)
    target = rng.integers(0, classes, n)
    logits = tensor(x, device, True)
    F.cross_entropy(logits, tensor(target, device)).backward()
    expected = np.exp(log_softmax(x.astype(np.float64), 1)) - np.eye(classes)[target]
    np.testing.assert_allclose(logits.grad._data, expected / n, rtol=1e-4, atol=1e-6 / n)
    assert abs(logits.grad._data.sum(1)).max() < 1e-5


@both_devices
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_huge_logits(dtype, device):
    top = np.finfo(dtype).max
    x = np.array([[1e4, -1e4, 0], [-1e4, 1e4, 0], [top, 0, -1], [-top, -top, -top], [0, -math.inf, 0]], dtype)
    target = np.array([0, 0, 0, 2, 2])
    logits = tensor(x, device, True)
    losses = F.cross_entropy(logits, tensor(target, device), reduction="none")
    np.testing.assert_allclose(losses._data, np.array([0, 2e4, 0, math.log(3), math.log(2)]), rtol=1e-6)
    losses.sum().backward()
    expected = [[0, 0, 0], [-1, 1, 0], [0, 0, 0], [1 / 3, 1 / 3, -2 / 3], [0.5, 0, -0.5]]
    np.testing.assert_allclose(logits.grad._data, np.array(expected), rtol=1e-6, atol=1e-12)
    assert F.cross_entropy(tensor(x[4:], device), tensor([1], device)).item() == math.inf
    smooth = F.cross_entropy(tensor(x[:1], device), tensor([0], device), label_smoothing=0.3)
    assert math.isclose(smooth.item(), 0.1 * (2e4 + 1e4), rel_tol=1e-6)
    masked = F.cross_entropy(tensor(x[4:], device), tensor(np.array([[0.25, 0, 0.75]], dtype), device))
    assert math.isclose(masked.item(), math.log(2), rel_tol=1e-6)


@both_devices
def test_ignored_samples_have_no_gradient(device):
    x = np.array([[1.0, 2.0], [math.nan, math.inf], [3.0, 1.0]])
    logits = tensor(x, device, True)
    loss = F.cross_entropy(logits, tensor([0, -100, 1], device))
    loss.backward()
    np.testing.assert_allclose(loss._data, cross_entropy(x[[0, 2]], np.array([0, 1])))
    np.testing.assert_array_equal(logits.grad._data[1], [0, 0])
    assert np.isfinite(logits.grad._data).all()
    everything = F.cross_entropy(logits, tensor([-100] * 3, device))
    assert math.isnan(everything.item())
    assert F.cross_entropy(logits, tensor([-100] * 3, device), reduction="sum").item() == 0


@both_devices
def test_empty_batches(device):
    x, t = tensor(np.zeros((0, 3)), device, True), tensor(np.zeros(0, np.int64), device)
    assert math.isnan(F.cross_entropy(x, t).item())
    loss = F.cross_entropy(x, t, reduction="sum")
    loss.backward()
    assert loss.item() == 0 and x.grad.shape == (0, 3)
    assert F.cross_entropy(x, t, reduction="none").shape == (0,)
    assert F.nll_loss(x, t, reduction="sum").item() == 0


@pytest.mark.parametrize("bad", [3, -1, 2**62, -(2**62)])
@pytest.mark.parametrize("function", [F.cross_entropy, F.nll_loss])
def test_a_target_that_is_no_class(bad, function):
    x = tensor(np.zeros((2, 3)))
    with pytest.raises(IndexError, match=rf"target {bad} is not a class: the input has 3 classes, 0 to 2"):
        function(x, tensor([0, bad]))
    with pytest.raises(IndexError, match=str(bad)):
        function(x, tensor([1, bad]), ignore_index=1)


def test_errors_of_cross_entropy():
    x = tensor(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"input of shape \(2, 3\) needs class numbers of shape \(2,\), got \(3,\)"):
        F.cross_entropy(x, tensor([0, 1, 2]))
    with pytest.raises(ValueError, match=r"shape of the logits, \(2, 3\), got \(2,\)"):
        F.cross_entropy(x, tensor([0.0, 1.0]))
    with pytest.raises(TypeError, match="class numbers must be integers, got bool"):
        F.cross_entropy(x, tensor([True, False]))
    with pytest.raises(ValueError, match="reduction must be"):
        F.cross_entropy(x, tensor([0, 1]), reduction="average")
    with pytest.raises(ValueError, match="label_smoothing must lie between 0 and 1"):
        F.cross_entropy(x, tensor([0, 1]), label_smoothing=1.5)
    with pytest.raises(ValueError, match=r"weight must be a tensor of float64 and shape \(3,\)"):
        F.cross_entropy(x, tensor([0, 1]), tensor([1.0, 1.0]))
    with pytest.raises(TypeError, match="must be a float32 or float64 tensor"):
        F.cross_entropy(tensor([[1, 2]]), tensor([0]))
    for shape in ((), (2, 0)):
        with pytest.raises(ValueError, match="must have shape"):
            F.cross_entropy(tensor(np.zeros(shape)), tensor(np.zeros(shape[:1], np.int64)))


@both_devices
@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int32, np.uint64])
def test_class_numbers_of_any_integer_type(kind, device):
    x = np.random.default_rng(0).normal(size=(4, 3))
    target = np.array([0, 2, 1, 1])
    found = F.cross_entropy(tensor(x, device), tensor(target.astype(kind), device))
    np.testing.assert_allclose(found._data, cross_entropy(x, target))
    strided = tensor(np.repeat(target, 2).astype(kind), device)[::2]
    np.testing.assert_allclose(F.cross_entropy(tensor(x, device), strided)._data, cross_entropy(x, target))


def test_a_changed_input_is_found_out():
    x = tensor(np.zeros((2, 3)), requires_grad=True)
    y = x * 1
    loss = F.cross_entropy(y, tensor([0, 1]))
    with tg.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_second_backward_needs_retain_graph():
    x = tensor(np.ones((2, 3)), requires_grad=True)
    loss = F.cross_entropy(x, tensor([0, 1]))
    loss.backward(retain_graph=True)
    first = x.grad._data.copy()
    loss.backward()
    np.testing.assert_allclose(x.grad._data, 2 * first)
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@both_devices
@reductions
@pytest.mark.parametrize("weighted", [False, True])
def test_nll_loss(weighted, reduction, device):
    rng = np.random.default_rng(5)
    x, target = log_softmax(rng.normal(size=(3, 4, 2)), 1), rng.integers(0, 4, (3, 2))
    target[0, 0] = -100
    weight = rng.uniform(0.5, 2, 4) if weighted else None
    w = None if weight is None else tensor(weight, device)
    found = F.nll_loss(tensor(x, device), tensor(target, device), w, reduction=reduction)
    np.testing.assert_allclose(found._data, cross_entropy(x, target, weight, reduction=reduction), rtol=1e-10)
    check_gradients(lambda t: F.nll_loss(t, tensor(target, device), w, reduction=reduction), x, device=device, order=1)


PAIRS = {
    "mse": (F.mse_loss, nn.MSELoss, lambda x, t: (x - t) ** 2),
    "l1": (F.l1_loss, nn.L1Loss, lambda x, t: abs(x - t)),
    "huber": (
        F.huber_loss,
        nn.HuberLoss,
        lambda x, t: np.where(abs(x - t) <= 1, 0.5 * (x - t) ** 2, abs(x - t) - 0.5),
    ),
    "bce": (F.binary_cross_entropy, nn.BCELoss, lambda x, t: -(t * np.log(x) + (1 - t) * np.log(1 - x))),
    "bce_logits": (
        F.binary_cross_entropy_with_logits,
        nn.BCEWithLogitsLoss,
        lambda x, t: np.logaddexp(0, x) - x * t,
    ),
}


@both_devices
@reductions
@pytest.mark.parametrize("name", PAIRS)
def test_elementwise_losses(name, reduction, device):
    function, module, formula = PAIRS[name]
    rng = np.random.default_rng(6)
    x, t = rng.uniform(0.05, 0.95, (2, 3)), rng.uniform(0.05, 0.95, (2, 3))
    if name != "bce":
        x = x * 6 - 3
    for loss in (lambda a, b: function(a, b, reduction=reduction), module(reduction=reduction)):
        np.testing.assert_allclose(loss(tensor(x, device), tensor(t, device))._data, REDUCE[reduction](formula(x, t)))
    check_gradients(lambda a, b: function(a, b, reduction=reduction), x, t, device=device, tolerance=1e-6)


@pytest.mark.parametrize("name", PAIRS)
def test_errors_of_elementwise_losses(name):
    function = PAIRS[name][0]
    with pytest.raises(ValueError, match=r"input has shape \(3, 1\) and target \(3,\)"):
        function(tensor(np.full((3, 1), 0.5)), tensor(np.full(3, 0.5)))
    with pytest.raises(ValueError, match="reduction must be"):
        function(tensor([0.5]), tensor([0.5]), reduction="max")
    assert function(tensor([0.5, 0.5]), 0.5).shape == ()


@both_devices
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_logits_of_any_size(dtype, device):
    top = float(np.finfo(dtype).max)
    x = tensor(np.array([1e4, -1e4, top, -top, 1e4, -1e4], dtype), device, True)
    t = tensor(np.array([1, 0, 1, 0, 0, 1], dtype), device)
    losses = F.binary_cross_entropy_with_logits(x, t, reduction="none")
    np.testing.assert_array_equal(losses._data, np.array([0, 0, 0, 0, 1e4, 1e4], dtype))
    losses.sum().backward()
    np.testing.assert_array_equal(x.grad._data, np.array([0, 0, 0, 0, 1, -1], dtype))


@both_devices
def test_logits_at_zero(device):
    """Where training starts: value, slope and curvature."""
    check_gradients(
        lambda x: F.binary_cross_entropy_with_logits(x, tensor([0.0, 1.0], device)), [0.0, 0.0], device=device
    )


@both_devices
def test_positive_weight_and_element_weight(device):
    x, t, pos, w = np.array([0.3, -2.0]), np.array([1.0, 0.25]), np.array([3.0, 0.5]), np.array([0.1, 2.0])
    p = 1 / (1 + np.exp(-x))
    expected = -w * (pos * t * np.log(p) + (1 - t) * np.log(1 - p))
    found = nn.BCEWithLogitsLoss(tensor(w, device), "none", tensor(pos, device))(tensor(x, device), tensor(t, device))
    np.testing.assert_allclose(found._data, expected)
    np.testing.assert_allclose(
        F.binary_cross_entropy(tensor(p, device), tensor(t, device), tensor(w, device), "none")._data,
        -w * (t * np.log(p) + (1 - t) * np.log(1 - p)),
    )


@both_devices
def test_certain_probabilities(device):
    """PyTorch's limits: a logarithm is at least -100, the gradient's denominator at least 1e-12."""
    p = tensor(np.array([0.0, 1.0, 0.0, 1.0]), device, True)
    losses = F.binary_cross_entropy(p, tensor(np.array([0.0, 1.0, 1.0, 0.0]), device), reduction="none")
    np.testing.assert_array_equal(losses._data, [0, 0, 100, 100])
    losses.sum().backward()
    np.testing.assert_allclose(p.grad._data, [0, 0, -1e12, 1e12])
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="probabilities between 0 and 1"):
            F.binary_cross_entropy(tensor([bad, 0.5], device), tensor([0.0, 1.0], device))


def test_agrees_with_torch():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(8)
    x, target, w = rng.normal(size=(5, 4, 3)), rng.integers(0, 4, (5, 3)), rng.uniform(0.5, 2, 4)
    target[0] = -100
    for smoothing in (0.0, 0.1):
        for reduction in REDUCE:
            mine, theirs = tensor(x, "cpu", True), torch.tensor(x, requires_grad=True)
            options = {"reduction": reduction, "label_smoothing": smoothing}
            a = F.cross_entropy(mine, tensor(target, "cpu"), tensor(w, "cpu"), **options)
            b = torch.nn.functional.cross_entropy(theirs, torch.tensor(target), torch.tensor(w), **options)
            (a * a).sum().backward()
            (b * b).sum().backward()
            np.testing.assert_allclose(a._data, b.detach().numpy(), rtol=1e-10)
            np.testing.assert_allclose(mine.grad._data, theirs.grad.numpy(), rtol=1e-8, atol=1e-12)


def test_texts_and_state():
    loss = nn.CrossEntropyLoss(tensor([1.0, 2.0]), label_smoothing=0.1)
    assert repr(nn.MSELoss()) == "MSELoss(reduction='mean')"
    assert "label_smoothing=0.1" in repr(loss)
    assert loss.state_dict() == {} and len(list(loss.buffers())) == 1
