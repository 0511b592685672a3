"""Whole training steps: jitted and eager runs from the same start give the same losses and the same weights."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite import nn, optim

F = nn.functional
RNG = np.random.default_rng(0)
X = [RNG.standard_normal((12, 6)) for _ in range(3)]
CLASSES = [RNG.integers(0, 4, 12) for _ in range(3)]
REALS = [RNG.standard_normal((12, 4)) for _ in range(3)]
BITS = [RNG.integers(0, 2, (12, 4)).astype(float) for _ in range(3)]

MODELS = {
    "mlp": lambda: nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 4)),
    "deep": lambda: nn.Sequential(
        nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 5), nn.GELU(), nn.Linear(5, 4), nn.Sigmoid()
    ),
    "dropout": lambda: nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Dropout(0.4), nn.Linear(9, 4)),
    "softmax": lambda: nn.Sequential(nn.Linear(6, 4), nn.Softmax()),
}
LOSSES = {
    "cross_entropy": (F.cross_entropy, CLASSES), "mse": (F.mse_loss, REALS),
    "bce": (F.binary_cross_entropy_with_logits, BITS), "huber": (F.huber_loss, REALS),
}  # fmt: skip
OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.05),
    "nesterov": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "amsgrad": lambda p: optim.AdamW(p, lr=0.01, amsgrad=True),
}


def train(model, loss, optimizer, jitted, device, dtype, steps=40):
    """The losses of all steps, and the final weights."""
    tg.manual_seed(3)
    net = MODELS[model]().to(device=device, dtype=dtype)
    rule = OPTIMIZERS[optimizer](net.parameters())
    function, targets = LOSSES[loss]

    def step(x, y):
        rule.zero_grad()
        value = function(net(x), y)
        value.backward()
        rule.step()
        return value

    run = tg.jit(step) if jitted else step
    xs = [tg.tensor(x, dtype=dtype, device=device) for x in X]
    ys = [tg.tensor(y, dtype=dtype if y.dtype.kind == "f" else "int64", device=device) for y in targets]
    losses = [run(xs[i % 3], ys[i % 3]).item() for i in range(steps)]
    assert not jitted or run.traces == 1
    return losses, [p.detach().numpy().copy() for p in net.parameters()]


CASES = [(m, "cross_entropy", "adam") for m in MODELS] + [("mlp", loss, "nesterov") for loss in LOSSES]
CASES += [("mlp", "mse", o) for o in OPTIMIZERS]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize(("model", "loss", "optimizer"), CASES)
def test_jitted_training_is_eager_training(model, loss, optimizer, device, dtype):
    losses, weights = train(model, loss, optimizer, False, device, dtype)
    losses2, weights2 = train(model, loss, optimizer, True, device, dtype)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(losses2, losses, rtol=tolerance)
    for a, b in zip(weights2, weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def model_and_data(dropout=0.0):
    tg.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Dropout(dropout), nn.Linear(5, 4))
    return net, tg.tensor(X[0], dtype="float32"), tg.tensor(CLASSES[0])


def weights(net):
    return [p.detach().numpy().copy() for p in net.parameters()]


def test_the_learning_rate_can_change_without_a_new_trace():
    def run(jitted):
        net, x, y = model_and_data()
        rule = optim.Adam(net.parameters(), lr=0.1)

        def step(x, y):
            rule.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            rule.step()
            return loss

        run = tg.jit(step) if jitted else step
        for i in range(6):
            rule.param_groups[0]["lr"] = 0.1 / (i + 1)
            run(x, y)
        assert not jitted or run.traces == 1
        assert {s["step"] for s in rule.state.values()} == {6}
        return weights(net)

    for a, b in zip(run(True), run(False), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_another_rule_is_traced_anew():
    net, x, y = model_and_data()
    rule = optim.SGD(net.parameters(), lr=0.1)

    @tg.jit
    def step(x, y):
        rule.zero_grad()
        F.cross_entropy(net(x), y).backward()
        rule.step()

    step(x, y)
    rule.param_groups[0]["weight_decay"] = 0.5
    step(x, y)
    step(x, y)
    assert step.traces == 2


def test_training_and_evaluation_mode_have_a_plan_each():
    net, x, _ = model_and_data(0.5)
    forward = tg.jit(lambda x: net(x))
    first, second = forward(x).numpy(), forward(x).numpy()
    assert not np.array_equal(first, second)  # new noise for every call
    net.eval()
    np.testing.assert_allclose(forward(x).numpy(), net(x).detach().numpy(), rtol=1e-6)
    net.train()
    forward(x)
    assert forward.traces == 2


def test_gradients_accumulate_over_calls_and_an_optimizer_outside_finds_them():
    def run(jitted):
        net, x, y = model_and_data()
        rule = optim.SGD(net.parameters(), lr=0.1)

        def accumulate(x, y):
            F.cross_entropy(net(x), y).backward()

        run = tg.jit(accumulate) if jitted else accumulate
        for _ in range(2):
            rule.zero_grad()
            for _ in range(3):
                run(x, y)
            rule.step()
        assert not jitted or run.traces == 2  # without and with a gradient to add to
        return [p.grad.numpy().copy() for p in net.parameters()], weights(net)

    for jitted, eager in zip(run(True), run(False), strict=True):
        for a, b in zip(jitted, eager, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def test_a_gradient_that_an_optimizer_took_stays_inside():
    net, x, y = model_and_data()
    rule = optim.SGD(net.parameters(), lr=0.1)

    @tg.jit
    def step(x, y):
        F.cross_entropy(net(x), y).backward()
        rule.step()

    step(x, y)
    step(x, y)
    assert step.traces == 1
    assert all(p.grad is None for p in net.parameters())


def test_a_bad_target_changes_nothing():
    net, x, y = model_and_data()
    rule = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    @tg.jit
    def step(x, y):
        rule.zero_grad()
        F.cross_entropy(net(x), y).backward()
        rule.step()

    step(x, y)
    before = weights(net)
    with pytest.raises(IndexError, match="target 9 is not a class"):
        step(x, y * 0 + 9)
    for a, b in zip(weights(net), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert {s["step"] for s in rule.state.values()} == {1}
