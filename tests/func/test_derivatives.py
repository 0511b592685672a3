"""func.grad, value_and_grad, vjp, jvp and hvp: against formulas, nested, by several arguments; errors."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg
from tinygrad_lite.testing import tensors

grad, value_and_grad, vjp, jvp, hvp = (getattr(tg.func, n) for n in ("grad", "value_and_grad", "vjp", "jvp", "hvp"))
vectors = tensors((3,), low=-2.0, high=2.0)
both_devices = pytest.mark.parametrize("device", ["numpy", "cpu"])


def vector(*values, device=None):
    return tg.Tensor(list(values), "float64", device)


def number(x):
    return tg.Tensor(x, "float64")


def close(found, expected):
    np.testing.assert_allclose(found._data, expected, rtol=1e-9, atol=1e-9)


# ---- against formulas ----


def polynomial(x, y):
    """f = sum x^3 y, by x: 3 x^2 y, by y: x^3."""
    return (x * x * x * y).sum()


@given(vectors, vectors)
def test_gradients(x, y):
    a, b = x._data, y._data
    close(grad(polynomial)(x, y), 3 * a**2 * b)
    close(grad(polynomial, 1)(x, y), a**3)
    value, (dx, dy) = value_and_grad(polynomial, (0, 1))(x, y)
    close(value, (a**3 * b).sum())
    close(dx, 3 * a**2 * b)
    close(dy, a**3)


@given(vectors, vectors, vectors, vectors, st.floats(-3, 3))
def test_products_with_the_jacobian(x, y, u, w, c):
    """f = (x y, c x): the Jacobian is [diag y, diag x; c 1, 0]. vjp and jvp are each other's adjoints."""
    f = lambda x, y: (x * y, x * c)  # noqa: E731
    (first, second), pull = vjp(f, x, y)
    close(first, x._data * y._data)
    close(second, x._data * c)
    dx, dy = pull((u, w))
    close(dx, y._data * u._data + c * w._data)
    close(dy, x._data * u._data)
    value, (moved, scaled) = jvp(f, [x, y], [u, w])
    close(value[0], x._data * y._data)
    close(moved, y._data * u._data + x._data * w._data)
    close(scaled, c * u._data)
    left = (moved * u).sum() + (scaled * w).sum()
    close(left, (dx * u).sum().item() + (dy * w).sum().item())


@given(vectors, vectors, vectors)
def test_products_with_the_hessian(x, y, u):
    """Of sum x^3 y by x: diag 6 x y; mixed: diag 3 x^2."""
    a, b, v = x._data, y._data, u._data
    value, (of_x, of_y) = hvp(polynomial, [x, y], [u, u])
    close(value, (a**3 * b).sum())
    close(of_x, 6 * a * b * v + 3 * a**2 * v)
    close(of_y, 3 * a**2 * v)
    close(hvp(polynomial, [x, y], u, argnums=0)[1], 6 * a * b * v)
    close(hvp(lambda x: polynomial(x, y), x, u)[1][0], 6 * a * b * v)


@both_devices
def test_matrices_and_shapes(device):
    """tr(A X B) by X is (B A)^T."""
    a, x, b = (tg.Tensor(np.random.default_rng(i).normal(size=s), device=device)
               for i, s in enumerate([(2, 3), (3, 4), (4, 2)]))  # fmt: skip
    found = grad(lambda x: tg.trace(a @ x @ b))(x)
    close(found, (b._data @ a._data).T)
    assert (found.device, found.dtype) == (device, tg.float64)


# ---- nested ----


@pytest.mark.parametrize("order", range(1, 6))
def test_gradients_of_gradients(order):
    f, expected = lambda x: x**5, 32.0
    for n in range(order):
        f, expected = grad(f), expected * (5 - n) / 2
    assert f(number(2.0)).item() == pytest.approx(expected)


def test_an_inner_derivative_of_what_is_outside():
    """d/dx [x * d/dy (x + y)] = 1, not 2: the two differentiations must not be confused."""
    one = number(1.0)
    assert grad(lambda x: x * grad(lambda y: x + y)(one))(one).item() == 1
    assert grad(lambda x: x * grad(lambda y: x * y)(one))(one).item() == 2
    assert grad(lambda x: grad(lambda y: x * y * y)(x))(number(3.0)).item() == 12
    assert jvp(lambda x: x * jvp(lambda y: x + y, [one], [one])[1], [one], [one])[1].item() == 1


@pytest.mark.parametrize("inner", ["grad", "jvp", "vjp", "hvp"])
@pytest.mark.parametrize("outer", ["grad", "jvp", "vjp"])
def test_every_pair_of_transformations(inner, outer):
    """Second and third derivatives of x^4 at 1.5."""
    x, one = number(1.5), number(1.0)
    f = lambda x: x**4  # noqa: E731
    first = {
        "grad": grad(f),
        "jvp": lambda x: jvp(f, [x], [one])[1],
        "vjp": lambda x: vjp(f, x)[1](one)[0],
        "hvp": lambda x: hvp(f, [x], [one])[1][0],
    }[inner]
    found = {"grad": grad(first), "jvp": lambda x: jvp(first, [x], [one])[1], "vjp": lambda x: vjp(first, x)[1](one)[0]}
    expected = 24 * 1.5 if inner == "hvp" else 12 * 1.5**2
    assert found[outer](x).item() == pytest.approx(expected)


def test_inside_of_recorded_code():
    """A derivative is an operation like others: backward goes through it."""
    x, w = (tg.Tensor([2.0], requires_grad=True) for _ in range(2))
    g = grad(lambda x: (x * x * x * w).sum())(x)
    assert g.requires_grad
    (g * g).sum().backward()  # (3 x^2 w)^2 = 9 x^4 w^2
    assert x.grad.tolist() == [36 * 8 * 4.0] and w.grad.tolist() == [18 * 16 * 2.0]


def test_nothing_leaks_out():
    x = tg.Tensor([1.0, 2.0])
    kept = []
    value, g = value_and_grad(lambda x: kept.append(x) or (x * x).sum())(x)
    assert not value.requires_grad and not g.requires_grad and not x.requires_grad and x.grad is None
    w = tg.Tensor([3.0, 4.0], requires_grad=True)
    with tg.no_grad():
        g = grad(lambda x: (x * x * w).sum())(x)
        assert not tg.is_grad_enabled()
    assert g.tolist() == [6.0, 16.0] and not g.requires_grad and w.grad is None


def test_parts_without_recording_are_constants():
    def f(x):
        with tg.no_grad():
            constant = x * x
        return (constant * x).sum()

    assert grad(f)(vector(2.0, 3.0)).tolist() == [4.0, 9.0]
    assert grad(lambda x: (x.detach() * x).sum())(vector(2.0)).tolist() == [2.0]


def test_gradients_have_their_own_memory():
    x, y = vector(1.0, 2.0), vector(3.0, 4.0)
    seed = vector(1.0, 1.0)
    _, pull = vjp(lambda x, y: x + y, x, y)
    first, second = pull(seed)
    again, _ = pull(seed)
    arrays = [t._data for t in (first, second, again, seed, x, y)]
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])
    assert all(a.flags.writeable for a in arrays)


def test_pulling_many_times():
    _, pull = vjp(lambda x: tg.exp(x), vector(0.0, 1.0))
    for c in (1.0, -2.0):
        close(pull(vector(c, c))[0], c * np.exp([0.0, 1.0]))


# ---- arguments ----


def test_which_arguments():
    x, y = vector(2.0), vector(3.0)
    f = lambda x, y: (x * x * y).sum()  # noqa: E731
    assert grad(f, -1)(x, y).tolist() == [4.0]
    assert [g.tolist() for g in grad(f, (1, 0))(x, y)] == [[4.0], [12.0]]
    assert [g.tolist() for g in grad(f, [1])(x, y)] == [[4.0]]
    assert grad(f, np.int64(1))(x, y).tolist() == [4.0]
    assert grad(f, ())(x, y) == ()
    assert grad(lambda x, n: (x**n).sum())(x, 3).tolist() == [12.0]
    assert grad(lambda x, scale: (x * scale).sum())(x, scale=5).tolist() == [5.0]
    assert jvp(f, [x, y], [vector(1.0)], argnums=1)[1].item() == 4.0


def test_numbers_and_arrays_are_points_too():
    assert grad(lambda x: x * x)(3.0).item() == 6.0
    assert grad(lambda x: (x * x).sum())(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert grad(lambda x: x[0] * x[1])([np.float64(2.0), np.float64(3.0)])[0].item() == 3.0


Pair = collections.namedtuple("Pair", "w b")
CONTAINERS = {
    "tuple": ((1.0, 2.0), lambda p: p[0] * p[0] * p[1]),
    "list": ([1.0, 2.0], lambda p: p[0] * p[0] * p[1]),
    "dict": ({"w": 1.0, "b": 2.0}, lambda p: p["w"] * p["w"] * p["b"]),
    "named tuple": (Pair(1.0, 2.0), lambda p: p.w * p.w * p.b),
    "nested": ({"w": (1.0, [2.0])}, lambda p: p["w"][0] * p["w"][0] * p["w"][1][0]),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_gradients_are_nested_as_arguments_are(kind):
    values, f = CONTAINERS[kind]
    leaves, rebuild = tg.func.tree.flatten(values)
    found = grad(f)(rebuild([number(v) for v in leaves]))
    assert isinstance(found, type(values))
    assert [g.item() for g in tg.func.tree.flatten(found)[0]] == [4.0, 1.0]
    assert tg.func.tree.flatten(found)[1]([0, 0]) == rebuild([0, 0])


def test_what_comes_beside_the_value():
    def f(x):
        return (x * x).sum(), {"twice": x * 2, "word": "kept", "nothing": None}

    x = vector(1.0, 2.0)
    found, aux = grad(f, has_aux=True)(x)
    assert found.tolist() == [2.0, 4.0]
    assert aux["twice"].tolist() == [2.0, 4.0] and not aux["twice"].requires_grad
    assert (aux["word"], aux["nothing"]) == ("kept", None)
    (value, aux), found = value_and_grad(f, has_aux=True)(x)
    assert (value.item(), aux["word"], found.tolist()) == (5.0, "kept", [2.0, 4.0])
    value, pull, aux = vjp(f, x, has_aux=True)
    assert pull(number(1.0))[0].tolist() == [2.0, 4.0] and aux["word"] == "kept"
    value, tangent, aux = jvp(f, [x], [x], has_aux=True)
    assert (tangent.item(), aux["word"]) == (10.0, "kept")


def test_arguments_that_do_not_matter():
    x, y = vector(1.0, 2.0), vector(3.0)
    assert [g.tolist() for g in grad(lambda x, y: y.sum(), (0, 1))(x, y)] == [[0.0, 0.0], [1.0]]
    assert grad(lambda x: number(3.0))(x).tolist() == [0.0, 0.0]
    assert jvp(lambda x: number(3.0), [x], [x])[1].item() == 0.0


# ---- errors ----

X = vector(1.0, 2.0)
ERRORS = [
    (lambda: grad(lambda x: x * x)(X), ValueError, r"grad: the function must return one tensor with one element, got "
     r"shape \(2,\); reduce it with .sum\(\) or .mean\(\), or use func.jacobian"),
    (lambda: value_and_grad(lambda x: (x.sum(), x.sum()))(X), ValueError, "value_and_grad: the function must"),
    (lambda: grad(lambda x: 3.0)(X), TypeError, "grad: the function must return float tensors, got float"),
    (lambda: grad(lambda x: None)(X), TypeError, "must return float tensors, got NoneType"),
    (lambda: grad(lambda x: x.argmax())(X), TypeError, "got a tensor of int64; return other things through has_aux"),
    (lambda: grad(lambda x: x.sum(), has_aux=True)(X), TypeError, r"must return a pair \(output, aux\), got Tensor"),
    (lambda: grad(lambda x: x.sum())(tg.tensor([1, 2])), TypeError, r"got int64; convert it with .astype"),
    (lambda: grad(lambda x: x.sum())("text"), TypeError, "grad: argument 0 is not a tensor or a number"),
    (lambda: grad(lambda x: x.sum(), 1)(X), ValueError, "grad: argnums is 1, the function was called with 1 arguments"),
    (lambda: grad(lambda x: x.sum(), "x")(X), ValueError, "argnums is 'x'"),
    (lambda: grad(lambda x: x.sum(), 0.5)(X), ValueError, "argnums is 0.5"),
    (lambda: grad(lambda x, y: x.sum(), (0, -2))(X, X), ValueError, r"argnums names an argument twice: \(0, -2\)"),
    (lambda: grad(lambda: number(1.0))(), ValueError, "argnums is 0, the function was called with 0 arguments"),
    (lambda: vjp(lambda x: x, X)[1](tg.ones(3, dtype="float64")), ValueError, r"vjp: a gradient has shape \(3,\)"),
    (lambda: vjp(lambda x: x, X)[1](tg.ones(2)), ValueError, "dtype float32; it must have shape .* dtype float64"),
    (lambda: vjp(lambda x: (x, x), X)[1](X), ValueError, "vjp: 2 gradients are needed, got 1"),
    (lambda: jvp(lambda x, y: x * y, [X, X], [X]), ValueError, "jvp: 2 tangents are needed, got 1"),
    (lambda: jvp(lambda x: x, [X], [vector(1.0)]), ValueError, r"jvp: a tangent has shape \(1,\)"),
    (lambda: hvp(lambda x: x * x, [X], [X]), ValueError, "must return one tensor with one element"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "text"), ERRORS, ids=[t[:35] for *_, t in ERRORS])
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
    assert tg.is_grad_enabled()


def test_an_error_of_the_function_leaves_no_trace():
    def fails(x):
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        grad(fails)(X)
    assert tg.is_grad_enabled() and grad(lambda x: (x * x).sum())(X).tolist() == [2.0, 4.0]
