import math

import numpy as np
import pytest
from nn_checks import both_devices, tensor

import tinygrad_lite as tg
from tinygrad_lite import nn, optim

RNG = np.random.default_rng(0)
SHAPES = [(5, 3), (4,), (), (0, 2), (1,)]
STEPS = 50


def sgd(p, g, s, t, lr=1e-3, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
    g = g + weight_decay * p
    if momentum:
        s["b"] = g if t == 1 else momentum * s["b"] + (1 - dampening) * g
        g = g + momentum * s["b"] if nesterov else s["b"]
    return p - lr * g


def adam(p, g, s, t, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, decoupled=False):
    if decoupled:
        p = p * (1 - lr * weight_decay)
    else:
        g = g + weight_decay * p
    s["m"] = betas[0] * s.get("m", 0) + (1 - betas[0]) * g
    s["v"] = betas[1] * s.get("v", 0) + (1 - betas[1]) * g**2
    s["top"] = np.maximum(s.get("top", 0), s["v"])
    v = (s["top"] if amsgrad else s["v"]) / (1 - betas[1] ** t)
    return p - lr * (s["m"] / (1 - betas[0] ** t)) / (np.sqrt(v) + eps)


def adamw(*args, weight_decay=1e-2, **options):
    return adam(*args, weight_decay=weight_decay, decoupled=True, **options)


CASES = [
    ("SGD", sgd, {}),
    ("SGD", sgd, {"lr": 0.1, "weight_decay": 0.01}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", sgd, {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adam", adam, {}),
    ("Adam", adam, {"lr": 0.1, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", adam, {"lr": 0.1, "betas": (0.0, 0.0)}),
    ("Adam", adam, {"lr": 0.1, "amsgrad": True}),
    ("AdamW", adamw, {"lr": 0.1}),
    ("AdamW", adamw, {"lr": 0.1, "weight_decay": 0.0, "amsgrad": True}),
]


def gradients(step):
    rng = np.random.default_rng(step)
    return [rng.normal(size=shape) * 10 ** rng.uniform(-3, 2) * math.cos(step) for shape in SHAPES]


@both_devices
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-11), (np.float32, 2e-4)])
@pytest.mark.parametrize("name, rule, options", CASES)
def test_agrees_with_a_numpy_loop(name, rule, options, dtype, tolerance, device):
    start = [RNG.normal(size=shape) for shape in SHAPES]
    params = [nn.Parameter(a, dtype, device) for a in start]
    memory = [p._data for p in params]
    optimizer = getattr(optim, name)(params, **options)
    expected, states = [a.astype(dtype).astype(np.float64) for a in start], [{} for _ in start]
    for t in range(1, STEPS + 1):
        for i, g in enumerate(gradients(t)):
            params[i].grad = tensor(g.astype(dtype), device)
            expected[i] = rule(expected[i], g, states[i], t, **options)
        optimizer.step()
    for p, a, m in zip(params, expected, memory, strict=True):
        np.testing.assert_allclose(p._data, a, rtol=tolerance, atol=tolerance * max(1, abs(a).max(initial=0)))
        assert p._data is m


@pytest.mark.parametrize("name, rule, options", CASES)
def test_agrees_with_torch(name, rule, options):
    torch = pytest.importorskip("torch")
    start = [RNG.normal(size=shape) for shape in SHAPES]
    mine, theirs = [nn.Parameter(a) for a in start], [torch.nn.Parameter(torch.tensor(a)) for a in start]
    a, b = getattr(optim, name)(mine, **options), getattr(torch.optim, name)(theirs, **options)
    for t in range(1, STEPS + 1):
        for i, g in enumerate(gradients(t)):
            if i != 1 or t % 3:  # a gradient may be missing for a while
                mine[i].grad, theirs[i].grad = tensor(g), torch.tensor(g)
            else:
                mine[i].grad = theirs[i].grad = None
        a.step()
        b.step()
    for p, q in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(p._data, q.detach().numpy(), rtol=1e-10, atol=1e-12)


def test_first_steps_in_closed_form():
    p = nn.Parameter(np.array([1.0, -2.0, 3.0]))
    p.grad = tensor(np.array([5.0, -1e-4, 1e6]))
    optim.Adam([p], lr=0.25, eps=0).step()
    np.testing.assert_allclose(p._data, [0.75, -1.75, 2.75], rtol=1e-12)


@both_devices
def test_a_gradient_of_zero_moves_nothing(device):
    for name in ("SGD", "Adam"):
        p = nn.Parameter(np.array([1.0, 2.0]), device=device)
        optimizer = getattr(optim, name)([p], lr=0.5)
        for _ in range(3):
            p.grad = tensor(np.zeros(2), device)
            optimizer.step()
        np.testing.assert_array_equal(p._data, [1, 2])


def test_many_steps_stay_finite():
    p = nn.Parameter(np.ones(2))
    optimizer = optim.Adam([p])
    p.grad = tensor(np.ones(2))
    optimizer.step()
    optimizer.state[p]["step"] = 10**7
    optimizer.step()
    assert np.isfinite(p._data).all()


@both_devices
def test_learning_rate_may_change_without_a_new_kernel(device):
    p = nn.Parameter(np.zeros(3), device=device)
    optimizer = optim.SGD([p], lr=1.0)
    p.grad = tensor(np.ones(3), device)
    optimizer.step()
    launch = optimizer._launches[p]
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    np.testing.assert_array_equal(p._data, [-1.5] * 3)
    assert optimizer._launches[p] is launch


def test_groups():
    a, b = nn.Parameter(np.zeros(2)), nn.Parameter(np.zeros(2))
    optimizer = optim.SGD([{"params": [a]}, {"params": b, "lr": 1.0}], lr=0.1)
    a.grad = b.grad = tensor(np.ones(2))
    optimizer.step()
    assert (a._data == -0.1).all() and (b._data == -1).all()
    c = nn.Parameter(np.zeros(2))
    optimizer.add_param_group({"params": [c], "momentum": 0.9})
    assert [g["momentum"] for g in optimizer.param_groups] == [0, 0, 0.9]
    assert repr(optimizer).endswith("# 6 parameters") and "lr=1.0" in repr(optimizer)


@both_devices
def test_gradients_in_any_layout(device):
    start, g = RNG.normal(size=(4, 6)), RNG.normal(size=(6, 4))
    results = []
    for gradient in (g.T.copy(), g.T, np.repeat(g.T, 2, 1)[:, ::2], g.T[::-1, ::-1].copy()[::-1, ::-1]):
        p = nn.Parameter(start, device=device)
        optimizer = optim.Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = tg.Tensor([0.0], device=device)
            p.grad._data = gradient
            optimizer.step()
        results.append(p._data)
    for r in results[1:]:
        np.testing.assert_allclose(r, results[0], rtol=1e-14)


@both_devices
def test_a_layout_that_changes_between_steps(device):
    p, q = (nn.Parameter(np.zeros((2, 3)), device=device) for _ in range(2))
    g = np.arange(6.0).reshape(3, 2)
    both = optim.SGD([p], lr=1.0), optim.SGD([q], lr=1.0)
    for gradient in (g.T, g.T.copy(), g.T):
        for optimizer, parameter, array in zip(both, (p, q), (gradient, gradient.copy()), strict=True):
            parameter.grad = tensor(np.zeros((2, 3)), device)
            parameter.grad._data = array
            optimizer.step()
    np.testing.assert_array_equal(p._data, -3 * g.T)
    np.testing.assert_array_equal(p._data, q._data)


def test_state_round_trip():
    def make(options):
        tg.manual_seed(0)
        net = nn.Linear(3, 2)
        return net, optim.Adam([{"params": [net.weight]}, {"params": [net.bias], "lr": 0.5}], **options)

    def run(net, optimizer, steps):
        for t in steps:
            for p in net.parameters():
                p.grad = tensor(np.full(p.shape, math.sin(t), np.float32))
            optimizer.step()

    for options in ({}, {"amsgrad": True}):
        net, optimizer = make(options)
        run(net, optimizer, range(5))
        state = optimizer.state_dict()
        assert state["param_groups"][1]["lr"] == 0.5 and state["param_groups"][1]["params"] == [1]
        other, resumed = make({})
        other.load_state_dict(net.state_dict())
        resumed.load_state_dict(state)
        run(net, optimizer, range(5, 9))
        run(other, resumed, range(5, 9))
        for a, b in zip(net.parameters(), other.parameters(), strict=True):
            np.testing.assert_array_equal(a._data, b._data)


def test_errors_of_state():
    optimizer = optim.Adam([nn.Parameter(np.zeros(2))])
    with pytest.raises(ValueError, match=r"groups hold \[2\] parameters, this optimizer's hold \[1\]"):
        optimizer.load_state_dict(optim.Adam([nn.Parameter([0.0]), nn.Parameter([0.0])]).state_dict())
    other = optim.Adam([p := nn.Parameter(np.zeros(3))])
    p.grad = tensor(np.zeros(3))
    other.step()
    with pytest.raises(ValueError, match=r"exp_avg has shape \(3,\), its parameter \(2,\)"):
        optimizer.load_state_dict(other.state_dict())
    with pytest.raises(ValueError, match="expected a dict with"):
        optimizer.load_state_dict({})


def test_errors():
    p = nn.Parameter([1.0])
    with pytest.raises(ValueError, match="SGD: the list of parameters is empty"):
        optim.SGD([])
    with pytest.raises(ValueError, match="Adam: the list of parameters is empty"):
        optim.Adam([{"params": []}])
    with pytest.raises(ValueError, match="only optimize leaf tensors, this one was computed by multiply"):
        optim.SGD([p * 2])
    with pytest.raises(TypeError, match="only optimize tensors, got ndarray"):
        optim.SGD([np.ones(2)])
    with pytest.raises(TypeError, match="must be a list"):
        optim.SGD(p)
    with pytest.raises(ValueError, match="float32 and float64"):
        optim.SGD([tensor([1])])
    with pytest.raises(ValueError, match="given twice"):
        optim.SGD([{"params": [p]}, {"params": [p]}])
    with pytest.raises(ValueError, match="option 'learning_rate' is not known"):
        optim.SGD([{"params": [p], "learning_rate": 1}])
    for options in ({"lr": -0.1}, {"lr": math.nan}, {"momentum": -1}, {"weight_decay": -1}):
        with pytest.raises(ValueError, match=f"SGD: {next(iter(options))} must not be negative"):
            optim.SGD([p], **options)
    with pytest.raises(ValueError, match="nesterov needs a momentum"):
        optim.SGD([p], nesterov=True)
    for betas in ((1.0, 0.9), (0.9, -0.1), (0.9,)):
        with pytest.raises(ValueError, match="betas must be two numbers"):
            optim.Adam([p], betas=betas)
    with pytest.raises(ValueError, match="eps must not be negative"):
        optim.AdamW([p], eps=-1)


@both_devices
def test_a_gradient_that_does_not_fit(device):
    for gradient in (np.zeros(1), np.zeros((2, 3)), np.zeros(3, np.float32)):
        p = nn.Parameter(np.ones(3), device=device)
        p.grad = tensor(gradient, device)
        with pytest.raises(ValueError, match="has a gradient of shape"):
            optim.SGD([p]).step()
        np.testing.assert_array_equal(p._data, np.ones(3))


def test_a_model_converted_after_the_optimizer_was_made():
    net = nn.Linear(2, 2)
    optimizer = optim.Adam(net.parameters())
    for dtype in (tg.float32, tg.float64):
        net.to(dtype).zero_grad()
        net(tensor(np.ones((1, 2), dtype))).sum().backward()
        if dtype == tg.float64:
            with pytest.raises(ValueError, match="convert the model before the optimizer is made"):
                optimizer.step()
        else:
            optimizer.step()


def test_a_step_between_forward_and_backward_is_found_out():
    w = nn.Parameter([2.0])
    optimizer = optim.SGD([w])
    loss = (w * w).sum()
    loss.backward(retain_graph=True)
    optimizer.step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_zero_grad():
    p = nn.Parameter([1.0])
    optimizer = optim.SGD([p])
    p.grad = tensor(np.ones(1, np.float32))
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.item() == 0
    optimizer.zero_grad()
    assert p.grad is None
    optimizer.step()
    assert p.item() == 1 and not optimizer.state


def test_least_squares_reaches_the_normal_equations():
    x, y = RNG.normal(size=(50, 3)), RNG.normal(size=50)
    w = nn.Parameter(np.zeros(3))
    optimizer = optim.SGD([w], lr=0.1, momentum=0.9)
    for _ in range(400):
        loss = nn.functional.mse_loss(tensor(x) @ w, tensor(y))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    np.testing.assert_allclose(w._data, np.linalg.lstsq(x, y, rcond=None)[0], rtol=1e-9)


def test_an_optimizer_of_ones_own():
    """A rule is one expression: here the sign of the gradient."""
    from tinygrad_lite_kernels.expr import functions, inputs
    from tinygrad_lite_kernels.expr import program as flatten

    class SignSGD(optim.Optimizer):
        p, g, lr = inputs(3)
        rule = flatten(p - lr * functions["sign"](g), 3)

        def slots(self, group):
            return ()

        def program(self, group):
            return self.rule

        def numbers(self, group, step):
            return (group["lr"],)

    p = nn.Parameter([1.0, 1.0])
    p.grad = tensor(np.array([5.0, -0.1], np.float32))
    SignSGD([p], {"lr": 0.5}).step()
    np.testing.assert_array_equal(p._data, [0.5, 1.5])
