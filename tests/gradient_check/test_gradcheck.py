"""tg.gradcheck: right gradients pass, wrong ones are found and named, inputs that cannot be checked are refused."""

import functools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from own_functions import cube, leaf, operation, right

import tinygrad_lite as tg

REPORT = re.compile(
    r"gradcheck of (?P<name>\S+): (?P<mode>[\w ]+): d output (?P<output>\d+)(?P<row>\[[\d, ]+])? / "
    r"d (?P<input>\w+ \d+)(?P<column>\[[\d, ]+])? is wrong: analytic (?P<analytic>\S+), numeric (?P<numeric>\S+), "
    r"difference (?P<difference>\S+); (?P<count>\d+) of (?P<all>\d+) elements"
)


def report(function, inputs, **options):
    """What the check says is wrong, in parts."""
    with pytest.raises(tg.GradcheckError) as error:
        tg.gradcheck(function, inputs, **options)
    assert not tg.gradcheck(function, inputs, raise_exception=False, **options)
    found = REPORT.search(str(error.value))
    assert found, str(error.value)
    return found.groupdict()


# ---- what is right passes ----

NUMBER = tg.Tensor(2.0, dtype="float64", requires_grad=True)
RIGHT = {
    "several inputs": (lambda x, y: tg.sin(x) * y, [leaf(2, 3), leaf(3)]),
    "one tensor": (tg.exp, leaf(3)),
    "a number": (lambda x: x * x, NUMBER),
    "no elements": (lambda x: x * 2, leaf(0, 3)),
    "other arguments": (lambda x, power, name: x**power, [leaf(2), 3, "third"]),
    "an input without gradient": (lambda x, y: x * y, [leaf(2), leaf(2).detach()]),
    "an input of integers": (lambda x, i: x[i], [leaf(3), tg.Tensor([0, 0, 2])]),
    "nested outputs": (lambda x: (x, {"a": x * 2, "b": [x.sum(), None, 3, x.astype("int64")]}), leaf(3)),
    "an output that does not depend on it": (lambda x, y: (x * 2, y * 3), [leaf(2), leaf(3)]),
    "a constant": (lambda x: tg.zeros(2, dtype="float64"), leaf(2)),
    "the input itself": (lambda x: x, leaf(2)),
    "in place": (lambda x: _first_doubled(x * 1), leaf(3)),
    "the same input twice": (lambda x, y: x * y, [NUMBER, NUMBER]),
    "a function of the user's": (cube(right), leaf(2, 2)),
}


def _first_doubled(x):
    x[0] = x[0] * 2
    return x


@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("name", RIGHT)
def test_right_gradients_pass(name, fast, device):
    tg.set_default_device(device)
    function, inputs = RIGHT[name]
    inputs = [x.to_device(device).detach().requires_grad_(x.requires_grad) if isinstance(x, tg.Tensor) else x
              for x in ([inputs] if isinstance(inputs, tg.Tensor) else inputs)]  # fmt: skip
    assert tg.gradcheck(function, inputs, fast_mode=fast) is True


LAYOUTS = {
    "transposed": lambda a: a.T,
    "steps": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "backwards": lambda a: a[::-1, ::-1],
    "column": lambda a: np.stack([a, a], axis=-1)[..., 1],
    "read-only": lambda a: np.frombuffer(a.tobytes()).reshape(a.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_inputs_may_lie_in_memory_as_they_like(layout):
    x = tg.asarray(LAYOUTS[layout](leaf(2, 3).detach().numpy()))
    assert tg.gradcheck(lambda x: x * x, [x.requires_grad_()])


def test_inputs_stay_as_they_are():
    x, y = leaf(2), leaf(3)
    values, y.grad = x.tolist(), tg.ones(3, dtype="float64")
    with tg.no_grad():
        assert tg.gradcheck(lambda x, y: (x * x).sum() * y, [x, y])
        assert not tg.is_grad_enabled()
    assert x.tolist() == values and x.grad is None and y.grad.tolist() == [1, 1, 1]


# ---- what is wrong is found and named ----


@given(data=st.data())
def test_one_wrong_element_is_found_and_named(data):
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple))
    at = data.draw(st.tuples(*(st.integers(0, n - 1) for n in shape)))
    factor = data.draw(st.sampled_from([1.001, 0.999, 0.0, -1.0, 2.0]))
    factors = np.ones(shape)
    factors[at] = factor
    function = cube(lambda x, g: right(x, g) * tg.Tensor(factors))
    x = leaf(*shape)
    found = report(lambda y, x: function(x) + y, [leaf(), x], check_forward_ad=False)
    place = "[" + ", ".join(map(str, at)) + "]"
    assert (found["name"], found["mode"]) == ("<lambda>", "reverse mode")
    assert (found["output"], found["row"], found["input"], found["column"]) == ("0", place, "input 1", place)
    assert (found["count"], found["all"]) == ("1", str(x.size**2))
    slope = 3 * float(x[at]) ** 2
    assert float(found["numeric"]) == pytest.approx(slope, rel=1e-7)
    assert float(found["analytic"]) == pytest.approx(slope * factor, rel=1e-9)
    assert float(found["difference"]) == pytest.approx(abs(slope * factor - slope), rel=1e-2)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_gradients_that_are_not_finite_are_wrong(value, fast):
    function = cube(lambda x, g: right(x, g) + tg.Tensor([0.0, value], dtype="float64"))
    assert not tg.gradcheck(function, leaf(2), fast_mode=fast, raise_exception=False)


@pytest.mark.parametrize("fast", [False, True])
@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_one_part_in_a_thousand_is_too_much(fast, device):
    x = leaf(4, 3, device=device)
    for factor in (1.001, 0.999):
        function = cube(lambda x, g, factor=factor: right(x, g) * factor)
        assert not tg.gradcheck(function, x, fast_mode=fast, raise_exception=False)
        assert tg.gradcheck(function, x, fast_mode=fast, rtol=2e-3)


def test_numbers_have_no_index():
    found = report(cube(lambda x, g: g), NUMBER)
    assert (found["row"], found["column"]) == (None, None)
    assert (float(found["analytic"]), float(found["numeric"])) == (1.0, pytest.approx(12.0))


def test_outputs_are_numbered_through_nests():
    def outputs(x):
        return {"a": (x, [x * 2]), "b": cube(lambda x, g: g)(x)}

    assert report(outputs, leaf(2))["output"] == "2"


def test_a_transposed_jacobian_is_wrong():
    turned = operation(lambda x: x @ tg.Tensor([[1.0, 2.0], [3.0, 4.0]], dtype="float64"),
                       lambda x, g: g @ tg.Tensor([[1.0, 2.0], [3.0, 4.0]], dtype="float64"))  # fmt: skip
    found = report(turned, leaf(2))
    assert {found["row"], found["column"]} == {"[0]", "[1]"} and found["count"] == "2"


@given(st.floats(0.3, 3), st.sampled_from([1e-3, 1e-2]), st.sampled_from([0.0, 1e-2]), st.floats(0.1, 3))
def test_the_tolerance_is_atol_plus_rtol_of_the_numeric_value(x, atol, rtol, times):
    limit = atol + rtol * 3 * x * x
    if abs(times - 1) < 1e-3:
        times = 0.5
    function = cube(lambda x, g: right(x, g) + limit * times * g)
    point = tg.Tensor([x], dtype="float64", requires_grad=True)
    assert tg.gradcheck(function, point, atol=atol, rtol=rtol, raise_exception=False) == (times < 1)


def test_eps_is_the_step_of_the_differences():
    assert float(report(cube(right), NUMBER, eps=0.1)["numeric"]) == pytest.approx(12.01)  # 3 x**2 + eps**2


NAMES = [
    (cube(lambda x, g: g), "Cube.apply"),
    (functools.partial(lambda a, x: cube(lambda x, g: g)(x), 1), "functools.partial"),
    (type("Loss", (), {"__call__": lambda self, x: cube(lambda x, g: g)(x), "__repr__": lambda self: "Loss()"})(),
     "Loss()"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "name"), NAMES, ids=[n for _, n in NAMES])
def test_the_function_is_named(function, name):
    with pytest.raises(tg.GradcheckError, match="^" + re.escape(f"gradcheck of {name}")):
        tg.gradcheck(function, leaf(2))


def test_fast_mode_needs_few_evaluations():
    calls = []

    def counted(x):
        calls.append(1)
        return x * x

    assert tg.gradcheck(counted, leaf(40, 5), fast_mode=True)
    assert len(calls) < 10
    found = []
    with pytest.raises(tg.GradcheckError) as error:
        tg.gradcheck(lambda x: (x, cube(lambda x, g: 2 * right(x, g))(x)), leaf(40, 5), fast_mode=True)
    found = re.search(r"fast reverse mode: the Jacobian of output 1 by input 0, projected .* analytic (\S+), "
                      r"numeric (\S+),.*fast_mode=False finds the element", str(error.value))  # fmt: skip
    assert float(found[1]) == pytest.approx(2 * float(found[2]), rel=1e-6)


# ---- what cannot be checked ----

WIDE = tg.broadcast_to(tg.ones(3, dtype="float64"), (2, 3)).detach()
SLIDING = tg.asarray(np.lib.stride_tricks.as_strided(np.arange(5.0), (3, 3), (8, 8)))
REFUSED = [
    (lambda x: x, [leaf(2), leaf(2).astype("float32").detach().requires_grad_()], ValueError,
     r"input 1 is float32, whose rounding .* use float64 inputs, x.astype\(tg.float64\)"),
    (lambda x: x, [WIDE.requires_grad_()], ValueError, r"elements of input 0 share memory \(strides \(0, 8\)\).* copy"),
    (lambda x: x, [SLIDING.requires_grad_()], ValueError, "elements of input 0 share memory"),
    (lambda x: x, [leaf(2).detach()], ValueError, r"no input requires a gradient.*\.requires_grad_\(\)"),
    (lambda x: x, [], ValueError, "no input requires a gradient"),
    (lambda x: x, None, TypeError, "the inputs must be a tensor or a list of them, got NoneType"),
    (lambda x: None, leaf(2), ValueError, "returned no float tensor, so there is nothing to differentiate"),
    (lambda x: (x > 0, x.argmax()), leaf(2), ValueError, "returned no float tensor"),
]  # fmt: skip


@pytest.mark.parametrize(("function", "inputs", "kind", "text"), REFUSED, ids=[t[:30] for *_, t in REFUSED])
def test_what_cannot_be_checked_is_refused(function, inputs, kind, text):
    with pytest.raises(kind, match=text):
        tg.gradcheck(function, inputs, raise_exception=False)


@pytest.mark.parametrize("eps", [0, -1e-6, float("nan")])
def test_a_step_must_be_positive(eps):
    with pytest.raises(ValueError, match="eps must be a positive step"):
        tg.gradcheck(tg.exp, leaf(2), eps=eps)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_named(value):
    with pytest.raises(tg.GradcheckError, match=re.escape(f"function: output 1[0, 2] is {value:g}, where differences")):
        tg.gradcheck(lambda x: (x, x + tg.Tensor([[0, 0, value]], dtype="float64")), leaf(1, 3))


def test_errors_of_the_function_come_out():
    def fails(x):
        raise LookupError("its own")

    with pytest.raises(LookupError, match="its own"):
        tg.gradcheck(fails, leaf(2), raise_exception=False)
