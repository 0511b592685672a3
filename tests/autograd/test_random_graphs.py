"""Random graphs of tensors beside the same graphs of scalar Values: two engines that share no code but the table of
derivatives must agree on every value and every gradient, whatever was shared, cut, freed or differentiated before."""

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule

import tinygrad_lite as tg
from tinygrad_lite import scalar

SHAPES = [(), (3,), (3, 3)]  # all broadcast together, also what is left of them
UNARY = ["exp", "tanh", "negative", "square", "sin", "relu"]
BINARY = ["add", "subtract", "multiply", "maximum"]
LARGEST = 20.0  # values stay where both engines are exact to many digits
FLOATS = st.lists(st.floats(-2, 2, width=16), min_size=9, max_size=9)
POSITIONS = st.integers(0, 2)


def boxed(x):
    """An array of Values, also of a single one, which NumPy would unpack."""
    if isinstance(x, np.ndarray):
        return x
    box = np.empty((), object)
    box[()] = x
    return box


def each(function):
    """A function of Values, on arrays of them."""
    return lambda *arrays: boxed(np.frompyfunc(function, len(arrays), 1)(*arrays))


def of_values(name):
    return each(getattr(scalar, name))


constants = each(lambda v: scalar.Value(v.data))  # the same numbers without history


def numbers(values):
    return each(lambda v: v.data)(values).astype(float)


class Pair:
    """A tensor, the Values of its elements, and how many derivatives it is away from the leaves."""

    def __init__(self, tensor, values, order=0):
        self.tensor, self.values, self.order = tensor, boxed(values), order
        assert tensor.shape == self.values.shape and tensor.dtype == "float64"
        np.testing.assert_allclose(tensor._data, numbers(self.values), rtol=1e-9, atol=1e-9)


class Graphs(RuleBasedStateMachine):
    device = "numpy"
    pairs = Bundle("pairs")

    def __init__(self):
        super().__init__()
        self.leaves = []

    @initialize(target=pairs)
    def start(self):
        return self.leaf((3,), [0.5, -1.25, 2.0])

    @rule(target=pairs, shape=st.sampled_from(SHAPES), values=FLOATS)
    def leaf(self, shape, values):
        data = np.resize(np.array(values), shape)
        pair = Pair(tg.Tensor(data, "float64", self.device, True), each(scalar.Value)(data))
        self.leaves.append(pair)
        return pair

    def made(self, function, mirror, *pairs):
        """The results of both engines, unless they have grown too large."""
        result = Pair(function(*(p.tensor for p in pairs)), mirror(*(p.values for p in pairs)),
                      max(p.order for p in pairs))  # fmt: skip
        return result if np.abs(result.tensor._data).max() < LARGEST else multiple()

    # ---- operations ----

    @rule(target=pairs, name=st.sampled_from(UNARY), x=pairs)
    def unary(self, name, x):
        return self.made(getattr(tg, name), of_values(name), x)

    @rule(target=pairs, name=st.sampled_from(BINARY), x=pairs, y=pairs)
    def binary(self, name, x, y):
        return self.made(getattr(tg, name), of_values(name), x, y)

    @rule(target=pairs, c=pairs, x=pairs, y=pairs)
    def where(self, c, x, y):
        chosen = np.broadcast_arrays(c.tensor._data > 0, x.values, y.values)
        return self.made(lambda c, x, y: tg.where(c > 0, x, y), lambda *_: np.where(*chosen), c, x, y)

    @rule(target=pairs, x=pairs, data=st.data())
    def total(self, x, data):
        axis = data.draw(st.sampled_from([None, *range(x.tensor.ndim)]))
        return self.made(lambda x: tg.sum(x, axis=axis), lambda v: np.sum(v, axis=axis), x)

    @rule(target=pairs, x=pairs, i=POSITIONS)
    def element(self, x, i):
        if not x.tensor.ndim:
            return multiple()
        return self.made(lambda x: x[..., i], lambda v: v[..., i], x)

    @rule(target=pairs, x=pairs, i=POSITIONS, j=POSITIONS)
    def gathered(self, x, i, j):
        if not x.tensor.ndim:
            return multiple()
        return self.made(lambda x: x[..., [i, j, i]], lambda v: v[..., [i, j, i]], x)

    @precondition(lambda self: any(leaf.tensor.ndim == 2 for leaf in self.leaves))
    @rule(target=pairs, x=pairs, data=st.data())
    def product(self, x, data):
        matrix = data.draw(st.sampled_from([leaf for leaf in self.leaves if leaf.tensor.ndim == 2]))
        if x.tensor.shape != (3,):
            return multiple()
        return self.made(lambda a, x: a @ x, lambda a, x: a @ x, matrix, x)

    # ---- parts without history ----

    @rule(target=pairs, x=pairs)
    def detach(self, x):
        return self.made(lambda t: t.detach(), constants, x)

    @rule(target=pairs, x=pairs, y=pairs)
    def island(self, x, y):
        with tg.no_grad():
            result = self.made(tg.multiply, of_values("multiply"), x, y)
        if isinstance(result, Pair):
            assert not result.tensor.requires_grad
            result.values = constants(result.values)
        return result

    # ---- derivatives ----

    @rule(x=pairs)
    def backward(self, x):
        if x.tensor.requires_grad:
            x.tensor.sum().backward(retain_graph=True)
            np.sum(x.values).backward()

    @rule(target=pairs, x=pairs, data=st.data())
    def gradient(self, x, data):
        """By one of the leaves, in the graph, so that what follows differentiates it again."""
        leaf = data.draw(st.sampled_from(self.leaves))
        if not x.tensor.requires_grad or x.order > 1:
            return multiple()
        (found,) = tg.autograd.grad(x.tensor.sum(), leaf.tensor, create_graph=True, allow_unused=True)
        values = scalar.derivative(np.sum(x.values), list(leaf.values.ravel()), create_graph=True)
        if found is None:
            assert not any(v.data for v in values)
            return multiple()
        mirror = np.array([*values, None], object)[:-1].reshape(leaf.values.shape)
        result = Pair(found, mirror, x.order + 1)
        return result if np.abs(found._data).max() < LARGEST else multiple()

    @rule()
    def forget_gradients(self):
        for leaf in self.leaves:
            leaf.tensor.grad = None
            for v in leaf.values.ravel():
                v.zero_grad()

    @invariant()
    def gradients_agree(self):
        for leaf in self.leaves:
            expected = each(lambda v: v.grad)(leaf.values).astype(float)
            found = np.zeros(expected.shape) if leaf.tensor.grad is None else leaf.tensor.grad._data
            np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-8)


class CompiledGraphs(Graphs):
    device = "cpu"


STEPS = settings(max_examples=60, stateful_step_count=40)
TestGraphs, TestCompiledGraphs = Graphs.TestCase, CompiledGraphs.TestCase
TestGraphs.settings = TestCompiledGraphs.settings = STEPS
