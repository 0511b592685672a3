"""What every backward pass must keep to, and forward mode, each broken alone."""

import numpy as np
import pytest
from own_functions import cube, leaf, operation, right

import tinygrad_lite as tg
from tinygrad_lite.gradient_check import examine
from tinygrad_lite.gradient_check.checks import Settings
from tinygrad_lite.ops.primitive import REGISTRY

NUMBER = tg.Tensor(2.0, dtype="float64", requires_grad=True)


def problem(function, inputs, **options):
    """The first thing that is wrong."""
    with pytest.raises(tg.GradcheckError) as error:
        tg.gradcheck(function, inputs, **options)
    return str(error.value)


# ---- forward and reverse mode ----


def test_forward_mode_wrong_where_reverse_mode_is_right():
    """The values are right, but how they move with the incoming gradient is lost."""
    function = cube(lambda x, g: right(x, g.detach()))
    text = problem(function, leaf(2))
    assert "forward mode: d output 0[0] / d input 0[0] is wrong: analytic 0, numeric" in text
    assert "forward mode runs through the backward pass of the backward pass" in text
    assert tg.gradcheck(function, leaf(2), check_forward_ad=False)
    assert "fast forward mode" in problem(function, leaf(2), fast_mode=True)


def test_reverse_mode_wrong_where_forward_mode_is_right():
    function = cube(lambda x, g: right(x, g) + 0.1)
    assert "reverse mode: d output 0" in problem(function, leaf(2))
    assert tg.gradcheck(function, leaf(2), check_backward_ad=False)


def test_what_is_switched_off_is_not_run():
    def fails(x, g):
        raise ZeroDivisionError

    function = operation(lambda x: x * 2, fails)
    assert tg.gradcheck(function, leaf(2), check_backward_ad=False, check_forward_ad=False)
    with pytest.raises(ZeroDivisionError):
        tg.gradcheck(function, leaf(2), check_forward_ad=False)


# ---- determinism ----


def noisy(scale):
    """Adds other noise at every call."""
    random = np.random.default_rng(0)
    return lambda x: x + tg.Tensor(scale * random.standard_normal(x.shape))


def test_a_function_that_gives_other_values_each_time():
    function = noisy(1e-9)
    assert "output 0 differs by" in problem(function, leaf(3))
    assert "random numbers must be fixed" in problem(function, leaf(3))
    assert tg.gradcheck(noisy(1e-11), leaf(3), nondet_tol=1e-6)


def test_a_backward_that_gives_other_values_each_time():
    """Within the tolerances of the differences, and still not the same."""
    noise = noisy(1e-9)
    function = cube(lambda x, g: right(x, g) * noise(tg.ones(3, dtype="float64")))
    text = problem(function, leaf(3), check_forward_ad=False)
    assert "determinism: backward ran twice: gradient of input 0[" in text
    report = examine(function, leaf(3), Settings(forward=False, nondet_tol=1e-6))
    assert not any("determinism" in p for p in report.problems)


def test_random_numbers_with_a_seed_are_deterministic():
    def dropped(x):
        tg.manual_seed(3)
        return tg.nn.functional.dropout(x, 0.5)

    assert tg.gradcheck(dropped, leaf(20), fast_mode=True)


# ---- linearity ----


def test_backward_of_zero_must_be_zero():
    """With a single output no row of the Jacobian has a zero gradient."""
    function = cube(lambda x, g: right(x, g) + tg.where(g == 0, 2**-10, 0.0))
    assert "linearity: backward of a zero grad_output: gradient of input 0 is 0.0009765625, it must be 0" in problem(
        function, NUMBER, check_forward_ad=False
    )


def test_backward_must_be_linear_in_its_gradient():
    """Rows of the Jacobian are backward passes of ones, so they cannot see what happens to other gradients."""
    function = cube(lambda x, g: right(x, tg.where(g < 0, 1.5 * g, g)))
    assert "linearity: backward of -2 * grad_output" in problem(function, leaf(3))


# ---- memory layouts of the incoming gradient ----


def test_gradients_with_gaps_in_memory():
    """A backward that reads the memory as if it were in one piece."""

    def from_memory(g):
        start = g._data.__array_interface__["data"][0]
        assert start
        packed = np.lib.stride_tricks.as_strided(g._data, g.shape, np.zeros(g.shape).strides)
        return tg.Tensor(packed.copy())

    function = operation(lambda x: x * 2, lambda x, g: from_memory(g) * 2)
    text = problem(function, leaf(3), check_forward_ad=False)
    assert "layout: backward of a non-contiguous grad_output: gradient of input 0[" in text
    assert examine(function, leaf(3), Settings(forward=False, layouts=False))


def test_gradients_that_repeat_one_element():
    function = operation(lambda x: x * 2, lambda x, g: g * (2 if g._data.strides != (0,) else 3))
    text = problem(function, leaf(3), check_forward_ad=False)
    assert "layout: backward of a broadcast grad_output" in text


# ---- missing gradients ----


def two_outputs(backward):
    return operation(lambda x: (x * 2, x * 3), backward)


def test_missing_gradients_that_are_taken_for_something_else():
    def ones_for_none(x, a, b):
        one = tg.ones(3, dtype="float64")
        return (one if a is None else a) * 2 + (one if b is None else b) * 3

    text = problem(two_outputs(ones_for_none), leaf(3), check_forward_ad=False)
    assert "undefined gradients: backward with a gradient only for output 0: gradient of input 0[" in text
    assert tg.gradcheck(two_outputs(ones_for_none), leaf(3), check_forward_ad=False, check_undefined_grad=False)


def test_missing_gradients_that_are_not_expected():
    function = two_outputs(lambda x, a, b: a * 2 + b * 3)
    text = problem(function, leaf(3))
    assert "undefined gradients: backward with a gradient only for output 0 raised TypeError" in text
    assert "the gradients of the other outputs are None" in text
    assert tg.gradcheck(function, leaf(3), check_undefined_grad=False)


def test_missing_gradients_that_are_left_out():
    def backward(x, a, b):
        parts = [2 * a if a is not None else None, 3 * b if b is not None else None]
        return sum(p for p in parts if p is not None)

    assert tg.gradcheck(two_outputs(backward), leaf(3))


# ---- shapes and dtypes ----


@pytest.mark.parametrize("change", [lambda g: g.sum(), lambda g: g.reshape(1, 3)])
def test_the_shape_of_a_gradient(change, monkeypatch):
    right_rule = REGISTRY["tanh"].backward
    monkeypatch.setattr(REGISTRY["tanh"], "backward", lambda node, gs: [change(d) for d in right_rule(node, gs)])
    settings = Settings(forward=False, fast=True)
    report = examine(lambda x: tg.tanh(x).sum(), tg.tensor(np.ones(3), requires_grad=True), settings)
    assert any("the gradient of input 0 has shape" in p for p in report.problems)


def test_the_dtype_of_a_gradient(monkeypatch):
    exp = REGISTRY["square"].backward
    monkeypatch.setattr(REGISTRY["square"], "backward", lambda node, gs: [d.astype("float32") for d in exp(node, gs)])
    x = tg.Tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    assert tg.gradcheck(tg.square, x, check_forward_ad=False)
    text = problem(tg.square, x, check_forward_ad=False, check_grad_dtypes=True)
    assert "the gradient of input 0 has shape (2,) and dtype float32, the input (2,) and float64" in text
