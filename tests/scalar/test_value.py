"""The scalar engine against central differences, and what a graph of numbers must survive."""

import copy
import math
import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tinygrad_lite_kernels.expr import OPS

from tinygrad_lite import scalar
from tinygrad_lite.scalar import Value, derivative
from tinygrad_lite.scalar import derivatives as table
from tinygrad_lite.scalar.operation import printed
from tinygrad_lite.scalar.value import OPERATIONS, call

# where an operation has a smooth derivative; the default is any number around 1
DOMAINS = {
    "log": (0.2, 5), "log1p": (-0.7, 5), "log2": (0.2, 5), "log10": (0.2, 5), "sqrt": (0.2, 5), "rsqrt": (0.2, 5),
    "asin": (-0.8, 0.8), "acos": (-0.8, 0.8), "atanh": (-0.8, 0.8), "acosh": (1.2, 5), "pow": (0.3, 3), "tan": (-1, 1),
    "floor": (0.1, 0.9), "ceil": (0.1, 0.9), "trunc": (0.1, 0.9), "round": (0.1, 0.4), "sign": (0.1, 2),
    "floor_divide": (0.55, 0.95), "remainder": (0.55, 0.95), "relu": (0.1, 2), "abs": (0.1, 2),
}  # fmt: skip
TESTED = sorted(OPERATIONS)


def points(op):
    low, high = DOMAINS.get(op, (0.3, 2.5))
    return st.lists(st.floats(low, high), min_size=2, max_size=2)


def apart(op, xs):
    return op not in ("maximum", "minimum", "floor_divide", "remainder") or abs(xs[0] - xs[1]) > 1e-2


def numeric(f, xs, i, h=1e-4):
    """Central difference with its error of order h**2 removed."""

    def central(step):
        up, down = list(xs), list(xs)
        up[i], down[i] = xs[i] + step, xs[i] - step
        return (f(*up) - f(*down)) / (2 * step)

    return (4 * central(h / 2) - central(h)) / 3


def errors(operation, arity, xs, h=1e-4):
    """How far the engine's first derivatives are from numeric ones, relative to their size."""
    values = [Value(x) for x in xs[:arity]]
    operation(*values).backward()
    found = []
    for i, v in enumerate(values):
        wanted = numeric(lambda *a: operation(*(Value(x) for x in a)).data, xs[:arity], i, h)
        found.append(abs(v.grad - wanted) / max(1e-3, abs(wanted)))
    return found


@pytest.mark.parametrize("op", TESTED)
@given(data=st.data())
def test_first_derivatives(op, data):
    xs = data.draw(points(op))
    assume(apart(op, xs))
    assert max(errors(OPERATIONS[op], OPS[op].arity, xs)) < 1e-6


@pytest.mark.parametrize("op", [name for name in TESTED if name in table.RULES and name not in ("relu", "abs")])
@given(data=st.data())
def test_second_derivatives(op, data):
    xs = data.draw(points(op))
    assume(apart(op, xs))
    arity = OPS[op].arity
    for i in range(arity):

        def slope(*a, i=i):
            values = [Value(x) for x in a]
            return derivative(OPERATIONS[op](*values), values)[i]

        values = [Value(x) for x in xs[:arity]]
        first = derivative(OPERATIONS[op](*values), values, create_graph=True)[i]
        for j, second in enumerate(derivative(first, values)):
            wanted = numeric(slope, xs[:arity], j)
            assert second == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("op", [name for name in TESTED if name in table.RULES])
def test_a_wrong_rule_is_caught(op, monkeypatch):
    """The comparison above would notice a derivative that is off by one part in a thousand."""
    right = table.RULES[op]
    scaled = lambda g, y, *xs: tuple(None if p is None else p * 1.001 for p in right(g, y, *xs))  # noqa: E731
    monkeypatch.setitem(table.RULES, op, scaled)
    wrong = printed(op, Value)
    low, high = DOMAINS.get(op, (0.3, 2.5))
    xs = [low + (high - low) * 0.61, low + (high - low) * 0.27]
    assert max(errors(wrong, OPS[op].arity, xs)) > 5e-4


def test_kinks():
    def slopes(f, *xs):
        values = [Value(x) for x in xs]
        return derivative(f(*values), values)

    assert slopes(lambda x: x.relu(), 0.0) == [0.0]
    assert slopes(abs, 0.0) == [0.0]
    assert slopes(scalar.maximum, 1.0, 1.0) == [0.5, 0.5]
    assert slopes(scalar.minimum, 1.0, 1.0) == [0.5, 0.5]
    assert slopes(lambda x: x**0, 0.0) == [0.0]
    assert slopes(scalar.hypot, 0.0, 0.0) == [0.0, 0.0]


def test_operators_in_both_orders():
    x = Value(3.0)
    results = {
        5.0: 2 + x, -1.0: 2 - x, 6.0: 2 * x, 2 / 3: 2 / x, 8.0: 2**x, 1.0: 4 % x,
        -3.0: -x, 9.0: x**2, 1.5: x / 2, 0.5: x - 2.5,
    }  # fmt: skip
    for wanted, value in results.items():
        assert value.data == pytest.approx(wanted)
    assert (x > 2) is True and (x < Value(2.0)) is False and x >= 2
    assert float(x) == 3.0 and abs(Value(-2.0)).data == 2.0
    assert repr(x) == "Value(data=3.0, grad=0.0)"
    assert sum([x, x]).data == 6.0


@given(st.lists(st.tuples(st.sampled_from(["add", "multiply", "tanh", "sin", "maximum"]), st.integers(0, 99),
                          st.integers(0, 99)), min_size=1, max_size=30), st.lists(st.floats(-1, 1), min_size=3,
                          max_size=3))  # fmt: skip
def test_random_graphs_agree_with_the_compiled_function(steps, xs):
    def build(*inputs):
        nodes = list(inputs)
        for op, i, j in steps:
            arguments = (nodes[i % len(nodes)], nodes[j % len(nodes)])[: OPS[op].arity]
            nodes.append(getattr(scalar, op)(*arguments))
        return sum(nodes[1:], nodes[0])

    values = [Value(x) for x in xs]
    y = build(*values)
    y.backward()
    compiled = scalar.value_and_grad(lambda a, b, c: build(a, b, c), argnums=None)
    from tinygrad_lite_kernels.reference.elementwise import elementwise

    found = [float(a) for a in elementwise(compiled.program)(*(np.array(x) for x in xs))]
    assert found[0] == pytest.approx(y.data, rel=1e-9, abs=1e-9)
    assert found[1:] == pytest.approx([v.grad for v in values], rel=1e-9, abs=1e-9)


def test_numbers_behave_as_ieee_says():
    assert (Value(1.0) / 0.0).data == math.inf
    assert Value(1000.0).exp().data == math.inf
    assert Value(0.0).log().data == -math.inf
    assert math.isnan(Value(-1.0).sqrt().data)
    assert math.isnan(call("pow", Value(-8.0), 1 / 3).data)


@pytest.mark.parametrize("bad", ["1", None, [1.0], {}, 1j])
def test_what_is_no_number(bad):
    for use in (Value, Value(2.0).__add__, Value(2.0).__pow__, Value(2.0).__rtruediv__):
        with pytest.raises(TypeError, match="Value: takes a number, got"):
            use(bad)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda x: scalar.exp(), "exp takes 1 arguments, got 0"),
        (lambda x: scalar.maximum(x), "maximum takes 2 arguments, got 1"),
        (lambda x: scalar.exp("a"), "exp takes numbers, Values, .* got str"),
        (lambda x: scalar.add([1.0], 2.0), "add takes numbers, Values, .* got list, float"),
        (lambda x: derivative(2.0, [x]), "derivative: takes a Value and a list of Values, got float"),
        (lambda x: derivative(x, [2.0]), "derivative: takes a Value and a list of Values, got float"),
    ],
)
def test_what_functions_do_not_take(use, message):
    with pytest.raises(TypeError, match=message):
        use(Value(1.0))


@given(st.floats(0.5, 3), st.sampled_from([-1.0, 1.0]), st.integers(-3, 4))
def test_powers_with_whole_numbers(size, sign, n):
    """Also of negative numbers, whose logarithm must not come into it."""
    base = size * sign
    for exponent in (n, float(n)):
        x = Value(base)
        y = x**exponent
        first, second = n * base ** (n - 1), n * (n - 1) * base ** (n - 2)
        assert y.data == pytest.approx(base**n)
        assert derivative(y, [x]) == pytest.approx([first])
        (slope,) = derivative(y, [x], create_graph=True)
        assert derivative(slope, [x]) == pytest.approx([second])


def test_numbers_of_numpy_on_either_side():
    x = Value(3.0)
    for two in (np.int64(2), np.float32(2), np.array(2.0)):
        for y, slope in ((two * x, 2.0), (x * two, 2.0), (two - x, -1.0), (x**two, 6.0)):
            assert y.__class__ is Value and derivative(y, [x]) == [slope]
        assert two < x and x > two
    assert np.exp(x).data == math.exp(3.0)


def test_truth_and_copies():
    x = Value(3.0)
    assert x and not Value(0.0)
    y = copy.deepcopy(x * x)
    y.backward()
    assert (y.data, x.grad) == (9.0, 0.0) and y.parents[0].grad == 6.0
    assert pickle.loads(pickle.dumps(x * x)).parents[0].data == 3.0
