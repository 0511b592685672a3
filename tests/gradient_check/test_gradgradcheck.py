"""tg.gradgradcheck: gradients of gradients."""

import numpy as np
import pytest
from own_functions import cube, leaf, operation, right

import tinygrad_lite as tg
from tinygrad_lite.gradient_check import examine_second
from tinygrad_lite.gradient_check.checks import Settings

ones = tg.ones((2, 3), dtype="float64")
slightly_wrong = operation(lambda g: g * 1, lambda _, h: h * 1.001)
cut = operation(lambda g: g * 1, lambda _, h: h * 0)


def problem(function, inputs, *more, **options):
    with pytest.raises(tg.GradcheckError) as error:
        tg.gradgradcheck(function, inputs, *more, **options)
    assert not tg.gradgradcheck(function, inputs, *more, raise_exception=False, **options)
    return str(error.value)


@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize("fast", [False, True])
def test_right_second_derivatives_pass(fast, device):
    x, y = leaf(2, 3, device=device), leaf(3, device=device)
    for options in ({}, {"check_fwd_over_rev": True}, {"gen_non_contig_grad_outputs": True}):
        assert tg.gradgradcheck(lambda x, y: tg.sin(x) * y, [x, y], fast_mode=fast, **options)
    assert tg.gradgradcheck(cube(right), x, fast_mode=fast)
    assert tg.gradgradcheck(lambda x: [x * 2, {"a": x.sum()}, None], x, fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_one_part_in_a_thousand_is_too_much(fast):
    function = cube(lambda x, g: slightly_wrong(right(x, g)))
    text = problem(function, leaf(2, 3), fast_mode=fast)
    assert text.startswith("gradcheck of Cube.apply: second order, ")
    assert tg.gradcheck(function, leaf(2, 3), check_forward_ad=False)


def test_a_second_derivative_that_got_lost_is_named():
    text = problem(cube(lambda x, g: cut(right(x, g.detach())) + right(x.detach(), g)), leaf(2, 3), ones)
    assert "second order, reverse mode: d output 0[" in text and "/ d input 0[" in text
    assert "analytic 0, numeric " in text


def test_the_gradient_of_the_incoming_gradient_is_checked_too():
    text = problem(cube(lambda x, g: right(x, g.detach())), leaf(2, 3))
    assert "/ d grad_output 0[" in text


def test_the_first_derivative_is_not_its_matter():
    """Twice the gradient is a function as good as any other."""
    function = cube(lambda x, g: 2 * right(x, g))
    assert tg.gradgradcheck(function, leaf(2))
    assert not tg.gradcheck(function, leaf(2), raise_exception=False)


def test_modes_are_chosen():
    third_is_wrong = operation(lambda g: g * 1, lambda _, h: slightly_wrong(h))
    function = cube(lambda x, g: third_is_wrong(right(x, g)))
    assert tg.gradgradcheck(function, leaf(2))
    assert "forward mode" in problem(function, leaf(2), check_fwd_over_rev=True)
    wrong = cube(lambda x, g: slightly_wrong(right(x, g)))
    assert tg.gradgradcheck(wrong, leaf(2), check_rev_over_rev=False)


def test_gradients_of_outputs_that_are_given():
    seen = []
    function = cube(lambda x, g: right(x, tap(seen, g)))
    seed = tg.Tensor([3.0, -5.0], dtype="float64")
    assert tg.gradgradcheck(function, leaf(2), seed)
    assert any(np.array_equal(g, [3.0, -5.0]) for g in seen)
    assert tg.gradgradcheck(lambda x: (x * x, x), leaf(2), [seed, seed])
    assert not seed.requires_grad


def tap(seen, g):
    seen.append(g._data.copy())
    return g


def test_gradients_of_outputs_with_gaps_in_memory():
    strides = set()

    def backward(x, g):
        strides.add(g._data.strides)
        return right(x, g)

    examine_second(cube(backward), leaf(3), Settings(layouts=False, forward=False))
    assert strides == {(8,)}
    assert tg.gradgradcheck(cube(backward), leaf(3), gen_non_contig_grad_outputs=True)
    assert (16,) in strides


SEEDS = [
    (tg.ones(2), "grad_output 0 is float32, whose rounding"),
    (tg.ones(3, dtype="float64"), r"has shape \(3,\) .* must have shape \(2,\)"),
    ([tg.ones(2, dtype="float64")] * 2, "1 gradients are needed, got 2"),
]


@pytest.mark.parametrize(("seeds", "text"), SEEDS)
def test_seeds_that_do_not_fit(seeds, text):
    with pytest.raises(ValueError, match=text):
        tg.gradgradcheck(tg.exp, leaf(2), seeds)


def test_float32_inputs_are_refused():
    with pytest.raises(ValueError, match="input 0 is float32"):
        tg.gradgradcheck(tg.exp, tg.ones(2).requires_grad_())
