"""func.jacobian in both modes, and func.hessian."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import shapes, tensors

jacobian, hessian, grad = tg.func.jacobian, tg.func.hessian, tg.func.grad
both_modes = pytest.mark.parametrize("mode", ["reverse", "forward"])
small = shapes(max_dims=2, max_side=3)


def close(found, expected):
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found._data, expected, rtol=1e-9, atol=1e-9)


def random(*shape, seed=0):
    return tg.Tensor(np.random.default_rng(seed).normal(size=shape))


# ---- Jacobians ----


@both_modes
@given(st.data())
def test_elementwise_functions_have_diagonal_jacobians(mode, data):
    x = data.draw(tensors(small, low=-2.0, high=2.0))
    expected = np.zeros((x.size, x.size))
    np.fill_diagonal(expected, np.cos(x._data).ravel())
    close(jacobian(tg.sin, mode=mode)(x), expected.reshape(x.shape * 2))


@both_modes
@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_the_jacobian_of_a_product_with_a_matrix_is_the_matrix(mode, device):
    a, x = random(2, 3).to_device(device), random(3, seed=1).to_device(device)
    found = jacobian(lambda x: a @ x, mode=mode)(x)
    close(found, a._data)
    assert (found.device, found.dtype) == (device, tg.float64)
    by_a = jacobian(lambda a: a @ x, mode=mode)(a)
    close(by_a, np.einsum("ik,j->ikj", np.eye(2), x._data))


@both_modes
def test_several_arguments_and_nested_outputs(mode):
    x, y = random(2), random(3, seed=1)
    found = jacobian(lambda x, y: {"outer": tg.outer(x, y), "sums": [x.sum(), y.sum()]}, (0, 1), mode=mode)(x, y)
    by_x, by_y = found["outer"]
    close(by_x, np.einsum("ik,j->ijk", np.eye(2), y._data))
    close(by_y, np.einsum("i,jk->ijk", x._data, np.eye(3)))
    (a, b), (c, d) = found["sums"]
    for part, expected in ((a, np.ones(2)), (b, np.zeros(3)), (c, np.zeros(2)), (d, np.ones(3))):
        close(part, expected)


@both_modes
def test_arguments_in_containers(mode):
    x, w = random(2), random(2, seed=1)
    found = jacobian(lambda p: p["w"] * p["x"][0], mode=mode)({"w": w, "x": [x]})
    close(found["w"], np.diag(x._data))
    close(found["x"][0], np.diag(w._data))


@both_modes
def test_empty_arguments_and_outputs(mode):
    x = random(3)
    close(jacobian(lambda x: x[:0], mode=mode)(x), np.zeros((0, 3)))
    close(jacobian(lambda x: x.sum(), mode=mode)(x[:0]), np.zeros(0))
    close(jacobian(lambda x: x * 2, mode=mode)(random(2, 0)), np.zeros((2, 0, 2, 0)))


@both_modes
def test_what_comes_beside_the_value(mode):
    x = random(2)
    found, aux = jacobian(lambda x: (x * x, "beside"), has_aux=True, mode=mode)(x)
    close(found, np.diag(2 * x._data))
    assert aux == "beside"


@both_modes
def test_jacobians_can_be_differentiated(mode):
    """d/dx of the trace of the Jacobian of x^3 is 6 x."""
    x = random(3)
    close(grad(lambda x: tg.trace(jacobian(lambda x: x**3, mode=mode)(x)))(x), 6 * x._data)
    w = tg.Tensor([2.0, 3.0], dtype="float64", requires_grad=True)
    jacobian(lambda x: x * w, mode=mode)(random(2)).sum().backward()
    assert w.grad.tolist() == [1.0, 1.0]


@both_modes
def test_a_constant_function(mode):
    close(jacobian(lambda x: tg.ones(2, dtype="float64"), mode=mode)(random(3)), np.zeros((2, 3)))


# ---- Hessians ----


@given(tensors((3,), low=-2.0, high=2.0), tensors((3, 3), low=-2.0, high=2.0))
def test_the_hessian_of_a_quadratic_form(x, a):
    close(hessian(lambda x: x @ a @ x)(x), a._data + a._data.T)


def test_the_hessian_of_rosenbrock():
    x = tg.Tensor([-1.2, 1.0], dtype="float64")
    a, b = -1.2, 1.0
    expected = [[1200 * a * a - 400 * b + 2, -400 * a], [-400 * a, 200]]
    close(hessian(lambda x: 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2)(x), expected)


def test_blocks_of_several_arguments():
    x, y = random(2), random(3, seed=1)
    (xx, xy), (yx, yy) = hessian(lambda x, y: (x**2).sum() * y.sum(), (0, 1))(x, y)
    close(xx, 2 * y._data.sum() * np.eye(2))
    close(xy, np.repeat(2 * x._data[:, None], 3, axis=1))
    close(yx, np.repeat(2 * x._data[None], 3, axis=0))
    close(yy, np.zeros((3, 3)))


def test_the_hessian_is_what_hvp_multiplies_with():
    x, v = random(4), random(4, seed=1)
    f = lambda x: tg.logsumexp(x * x) + (tg.tanh(x)).prod()  # noqa: E731
    product = tg.func.hvp(f, [x], [v])[1][0]
    close(product, hessian(f)(x)._data @ v._data)


def test_of_an_output_with_axes_and_beside():
    x = random(2)
    close(hessian(lambda x: x**3)(x), np.einsum("i,ij,ik->ijk", 6 * x._data, np.eye(2), np.eye(2)))
    found, aux = hessian(lambda x: ((x**3).sum(), "beside"), has_aux=True)(x)
    close(found, np.diag(6 * x._data))
    assert aux == "beside"


def test_errors():
    with pytest.raises(ValueError, match="jacobian: mode must be 'reverse' or 'forward', got 'sideways'"):
        jacobian(tg.sin, mode="sideways")
    with pytest.raises(TypeError, match="jacobian: the function must return float tensors, got int"):
        jacobian(lambda x: 3)(random(2))
    with pytest.raises(ValueError, match="argnums is 1, the function was called with 1 arguments"):
        hessian(lambda x: x.sum(), 1)(random(2))
    with pytest.raises(TypeError, match="only float32 and float64 tensors can be differentiated by, got int64"):
        jacobian(lambda x: x * 1.0)(tg.tensor([1, 2]))
