"""The scalar engine against central differences, and what a graph of numbers must survive."""

import gc
import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tinygrad_lite_kernels.expr import OPS

from tinygrad_lite import scalar
from tinygrad_lite.scalar import MLP, Value, derivative
from tinygrad_lite.scalar import derivatives as table
from tinygrad_lite.scalar.value import OPERATIONS, _printed, call

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
    wrong = _printed(op)
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


def test_gradients_accumulate_in_leaves_only():
    x = Value(2.0)
    y = x * x
    z = y * 3
    z.backward()
    z.backward()
    assert (x.grad, y.grad) == (24.0, 3.0)
    x.zero_grad()
    assert x.grad == 0.0


def test_derivative_leaves_gradients_alone():
    x = Value(2.0)
    x.grad = 7.0
    y = x**3
    assert derivative(y, [x, Value(1.0)]) == [12.0, 0.0]
    assert x.grad == 7.0


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
    import numpy as np
    from tinygrad_lite_kernels.reference.elementwise import elementwise

    found = [float(a) for a in elementwise(compiled.program)(*(np.array(x) for x in xs))]
    assert found[0] == pytest.approx(y.data, rel=1e-9, abs=1e-9)
    assert found[1:] == pytest.approx([v.grad for v in values], rel=1e-9, abs=1e-9)


def test_deep_graphs():
    x = Value(1.0)
    y = x
    for _ in range(300_000):
        y = y * 1.000001
    y.backward()
    assert x.grad == pytest.approx(math.exp(0.3), rel=1e-4)
    del y  # must not exhaust the stack either


def test_a_step_leaves_nothing_for_the_garbage_collector():
    model = MLP(2, [4, 1])
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model.zero_grad()
            (model([1.0, -2.0]) - 1.0).relu().backward()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_numbers_behave_as_ieee_says():
    assert (Value(1.0) / 0.0).data == math.inf
    assert Value(1000.0).exp().data == math.inf
    assert Value(0.0).log().data == -math.inf
    assert math.isnan(Value(-1.0).sqrt().data)
    assert math.isnan(call("pow", Value(-8.0), 1 / 3).data)


@pytest.mark.parametrize("bad", ["1", None, [1.0], {}])
def test_what_is_no_number(bad):
    with pytest.raises(TypeError, match="Value: takes a number"):
        Value(bad)


def test_networks():
    model = MLP(2, [16, 16, 1])
    assert len(model.parameters()) == 337
    assert repr(model).startswith("MLP of [Layer of [ReLUNeuron(2)")
    with pytest.raises(ValueError, match="Neuron: takes 2 inputs, got 3"):
        model([1.0, 2.0, 3.0])


def test_drawings():
    x = Value(2.0)
    y = (x * 3 + 1).relu()
    assert scalar.dot(y).count("->") == 5
    assert "relu | data 7" in scalar.tree(y)
    z = y * y
    assert "(see above)" in scalar.tree(z)
    assert scalar.tree(z, limit=2).endswith("...")
