"""tg.func beside torch.func, on one small network and on functions with every kind of operation."""

import numpy as np
import pytest

import tinygrad_lite as tg

torch = pytest.importorskip("torch")
RANDOM = np.random.default_rng(0)
ARRAYS = {"x": RANDOM.normal(size=(4, 3)), "w": RANDOM.normal(size=(3, 2)), "b": RANDOM.normal(size=2)}
NAMES = ("x", "w", "b")


def network(lib, x, w, b):
    """A loss of one layer, in words that both libraries know."""
    h = lib.tanh(x @ w + b)
    return (lib.exp(-h) * h).sum() + lib.logsumexp(h, 1).sum() + (x[1:] * x[:-1]).sum() ** 2


def table(lib, x, w, b):
    return lib.softmax(x @ w + b, -1), lib.cumsum(x, 0)


def mine(names):
    return [tg.Tensor(ARRAYS[n]) for n in names]


def theirs(names):
    return [torch.tensor(ARRAYS[n]) for n in names]


def agree(found, expected):
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            agree(f, e)
    else:
        assert found.shape == tuple(expected.shape)
        np.testing.assert_allclose(found._data, expected.detach().numpy(), rtol=1e-9, atol=1e-9)


def of(lib, f):
    return lambda *args: f(lib, *args)


@pytest.mark.parametrize("argnums", [0, 1, (0, 1, 2), (2, 0)])
def test_gradients(argnums):
    expected, value = torch.func.grad_and_value(of(torch, network), argnums)(*theirs(NAMES))
    agree(tg.func.grad(of(tg, network), argnums)(*mine(NAMES)), expected)
    agree(tg.func.value_and_grad(of(tg, network), argnums)(*mine(NAMES)), (value, expected))


def test_products_with_jacobians():
    _, pull = tg.func.vjp(of(tg, table), *mine(NAMES))
    values, their_pull = torch.func.vjp(of(torch, table), *theirs(NAMES))
    seeds = [np.cos(np.arange(v.numel()).reshape(v.shape)) for v in values]
    agree(pull(tuple(tg.Tensor(s) for s in seeds)), their_pull(tuple(torch.tensor(s) for s in seeds)))
    tangents = [np.sin(ARRAYS[n]) for n in NAMES]
    found = tg.func.jvp(of(tg, table), mine(NAMES), [tg.Tensor(t) for t in tangents])
    agree(found, torch.func.jvp(of(torch, table), tuple(theirs(NAMES)), tuple(torch.tensor(t) for t in tangents)))


@pytest.mark.parametrize(("mode", "theirs_too"), [("reverse", torch.func.jacrev), ("forward", torch.func.jacfwd)])
def test_jacobians(mode, theirs_too):
    found = tg.func.jacobian(of(tg, table), (0, 1, 2), mode=mode)(*mine(NAMES))
    agree(found, theirs_too(of(torch, table), (0, 1, 2))(*theirs(NAMES)))


def test_hessians():
    found = tg.func.hessian(of(tg, network), (1, 2))(*mine(NAMES))
    agree(found, torch.func.hessian(of(torch, network), (1, 2))(*theirs(NAMES)))


def test_derivatives_of_derivatives():
    """The gradient of the squared norm of a gradient (a gradient penalty)."""

    def penalty(lib):
        func = lib.func
        return lambda x, w, b: (func.grad(of(lib, network))(x, w, b) ** 2).sum()

    found = tg.func.grad(penalty(tg), (0, 1, 2))(*mine(NAMES))
    agree(found, torch.func.grad(penalty(torch), (0, 1, 2))(*theirs(NAMES)))


def test_what_comes_beside_the_value():
    def f(lib):
        return lambda p: ((p["w"] ** 2 * p["b"]).sum(), p["w"] * 2)

    def values(arrays):
        return {"w": arrays[0], "b": arrays[1]}

    found, aux = tg.func.grad(f(tg), has_aux=True)(values(mine("wb")))
    expected, their_aux = torch.func.grad(f(torch), has_aux=True)(values(theirs("wb")))
    assert found.keys() == expected.keys()
    for key in found:
        agree(found[key], expected[key])
    agree(aux, their_aux)
