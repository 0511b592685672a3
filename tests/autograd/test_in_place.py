"""Changes in place: the right gradient or an error that says what was changed, never a wrong number."""

import numpy as np
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

import tinygrad_lite as tg

CHANGED = "changed in place"


def leaf(*values, device=None):
    return tg.Tensor(list(values), dtype="float64", device=device, requires_grad=True)


def fixed(*values):
    return tg.Tensor(list(values), dtype="float64")


WEIGHTS = fixed(1.0, 10.0, 100.0, 1000.0)


# ---- programs at random ----

MASK = np.array([True, False, True, False])
PLACES = st.sampled_from([0, -1, slice(1, 3), slice(None, None, -2), [0, 2], [1, 1], MASK])


class Program:
    """Changes of y, which starts as a copy of x, by parts of w. What is used on the way goes into `total`."""

    def __init__(self, x, w):
        self.y, self.w, self.part = x * 1, w, x[:1] * 1
        self.total = (w * 0).sum()

    def assign(self, place, i):
        self.y[place] = self.w[i] * 2

    def add(self, place, i):
        self.y[place] += self.w[i]

    def multiply(self, place, i):
        self.y[place] *= self.w[i]

    def take(self, place, i):
        self.part = self.y[place]

    def change_what_was_taken(self, place, i):
        self.part += self.w[i]

    def use_what_was_taken(self, place, i):
        self.total = self.total + (self.part * 3).sum()

    def use(self, place, i):
        self.total = self.total + (self.y * self.y).sum()

    def whole(self, place, i):
        for change in (self.y.square_, self.y.tanh_, self.y.negative_, lambda: self.y.__imul__(0.5))[i : i + 1]:
            change()


KINDS = [Program.assign, Program.add, Program.multiply, Program.take, Program.change_what_was_taken,
         Program.use_what_was_taken, Program.use, Program.whole]  # fmt: skip
STEPS = st.lists(st.tuples(st.sampled_from(KINDS), PLACES, st.integers(0, 3)), min_size=1, max_size=6)


def run(steps, x, w):
    program = Program(x, w)
    for step, place, i in steps:
        step(program, place, i)
    return program.y, program.total


@settings(max_examples=200)
@given(STEPS)
def test_programs_are_right_or_refused(steps):
    x, w = leaf(0.5, -0.7, 0.9, 0.3), leaf(0.4, 0.8, -0.6, 1.1)
    try:
        assert tg.gradcheck(lambda x, w: run(steps, x, w), [x, w], fast_mode=True)
        event("right")
    except RuntimeError as error:
        assert CHANGED in str(error)
        event("refused")


@pytest.mark.parametrize("device", ["numpy", "cpu"])
def test_programs_that_must_be_right(device):
    steps = [(Program.assign, slice(1, 3), 0), (Program.add, 0, 1), (Program.take, -1, 0),
             (Program.change_what_was_taken, 0, 2), (Program.use_what_was_taken, 0, 0), (Program.whole, 0, 3),
             (Program.add, [1, 1], 3), (Program.whole, 0, 1)]  # fmt: skip
    x, w = leaf(0.5, -0.7, 0.9, 0.3, device=device), leaf(0.4, 0.8, -0.6, 1.1, device=device)
    assert tg.gradcheck(lambda x, w: run(steps, x, w), [x, w])
    assert tg.gradgradcheck(lambda x, w: run(steps, x, w), [x, w])


# ---- assignments ----


def changed(x, change):
    y = x * 1
    change(y)
    return y


ASSIGNMENTS = {
    "a number": (lambda y, w: y.__setitem__(1, 5.0), [1, 0, 100, 1000], [0, 0]),
    "an element": (lambda y, w: y.__setitem__(1, w[0]), [1, 0, 100, 1000], [10, 0]),
    "a slice": (lambda y, w: y.__setitem__(slice(1, 3), w), [1, 0, 0, 1000], [10, 100]),
    "broadcast": (lambda y, w: y.__setitem__(slice(None, 3), w[1]), [0, 0, 0, 1000], [0, 111]),
    "backwards": (lambda y, w: y.__setitem__(slice(None, 1, -1), w), [1, 10, 0, 0], [1000, 100]),
    "indices": (lambda y, w: y.__setitem__([3, 0], w), [0, 10, 100, 0], [1000, 1]),
    "one place twice": (lambda y, w: y.__setitem__([2, 2], w), [1, 10, 0, 1000], [0, 100]),
    "a mask": (lambda y, w: y.__setitem__(y > 2.5, w), [1, 10, 0, 0], [100, 1000]),
    "everything": (lambda y, w: y.__setitem__(..., w[0]), [0, 0, 0, 0], [1111, 0]),
    "nothing": (lambda y, w: y.__setitem__(slice(0, 0), w[:0]), [1, 10, 100, 1000], [0, 0]),
}


@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize("name", ASSIGNMENTS)
def test_gradients_of_assignments(name, device):
    """What was overwritten has none; what was written has that of its place."""
    tg.set_default_device(device)
    change, of_x, of_w = ASSIGNMENTS[name]
    x, w = leaf(1.0, 2.0, 3.0, 4.0), leaf(5.0, 6.0)
    y = changed(x, lambda y: change(y, w))
    ((y * WEIGHTS.to_device(device)).sum() + (w * 0).sum()).backward()
    assert (x.grad.tolist(), w.grad.tolist()) == (of_x, of_w)


def test_a_tensor_assigned_to_itself():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1
    y[1:] = y[:-1]
    (y * WEIGHTS).sum().backward()
    assert x.grad.tolist() == [11.0, 100.0, 1000.0, 0.0]


def test_a_buffer_takes_the_history_of_what_is_written():
    x, buffer = leaf(2.0, 3.0), tg.zeros((3, 2), dtype="float64")
    for i in range(3):
        buffer[i] = x * (i + 1)
    assert buffer.requires_grad and not buffer.is_leaf
    (buffer * buffer).sum().backward()
    assert x.grad.tolist() == [2 * 2 * 14.0, 2 * 3 * 14.0]


def test_a_recurrence_in_a_buffer():
    def powers(x):
        out = tg.ones(4, dtype="float64")
        for i in range(1, 4):
            out[i] = out[i - 1].clone() * x
        return out

    x = tg.Tensor(1.5, dtype="float64", requires_grad=True)
    assert tg.gradcheck(powers, x) and tg.gradgradcheck(powers, x)


# ---- what is refused ----

REFUSED = [
    (lambda x: x.__iadd__(1), RuntimeError, "add in place: a leaf tensor that requires a gradient.*inside tg.no_grad"),
    (lambda x: x.__setitem__(0, 1.0), RuntimeError, "index assignment: a leaf tensor that requires a gradient"),
    (lambda x: x[:1].__iadd__(1), RuntimeError, "index assignment: a leaf tensor that requires a gradient"),
    (lambda x: (x * 1).reshape(2, 1).exp_(), RuntimeError, r"exp in place: changing a view .*base\[index\] = value"),
    (lambda x: (x * 1)[0].exp_(), RuntimeError, "exp in place: changing a view in place is not recorded"),
    (lambda x: tg.broadcast_to(x, (2, 2)).__iadd__(1), ValueError, "add in place: the tensor's memory is read-only"),
    (lambda x: (x * 1).__iadd__(tg.ones((2, 2), dtype="float64")), TypeError, r"shape \(2, 2\), which does not fit"),
    (lambda x: (x * 1)[:1].__imul__(tg.ones((2, 2), dtype="float64")), TypeError, "which does not fit"),
    (lambda x: tg.tensor([1, 2]).__itruediv__(2), TypeError, "divide in place: the result has dtype float32 .*int64"),
    (lambda x: tg.ones(2).__iadd__(x), TypeError, "dtype float64 .* tensor of dtype float32"),
    (lambda x: (x * 1).__setitem__(slice(None), tg.ones(3)), ValueError, r"shape \(3,\) does not broadcast to \(2,\)"),
    (lambda x: (x * 1).__setitem__(5, 1.0), IndexError, "5"),
]


@pytest.mark.parametrize(("change", "kind", "text"), REFUSED, ids=[t[:40] for *_, t in REFUSED])
def test_changes_that_are_refused(change, kind, text):
    x = leaf(1.0, 2.0)
    with pytest.raises(kind, match=text):
        change(x)
    assert x.tolist() == [1.0, 2.0] and x.is_leaf


# ---- versions ----

SAVED = [
    (lambda y: y * y, "multiply: its input 0 was changed in place"),
    (lambda y: y @ y, "matmul: its input 0 was changed in place"),
    (lambda y: y.prod(), "prod: its input 0 was changed in place"),
    (lambda y: y.sin(), "sin: its input 0 was changed in place"),
    (lambda y: y.max(), "max: its input 0 was changed in place"),
    (lambda y: y[:1].exp() * y[1:], "multiply: its input 1 was changed in place"),
]
CHANGES = [lambda y: y.__iadd__(1), lambda y: y.__setitem__(0, 5.0), lambda y: y.square_(), lambda y: y[1:].__imul__(2),
           lambda y: y.detach().__iadd__(1)]  # fmt: skip


@pytest.mark.parametrize(("use", "text"), SAVED, ids=[t.split(":")[0] for _, t in SAVED])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recorded", [True, False])
def test_what_backward_needs_must_not_change(use, text, change, recorded):
    x = leaf(1.0, 2.0)
    y = x * 1
    z = use(y)
    with tg.set_grad_enabled(recorded):
        change(y)
    with pytest.raises(RuntimeError, match=text + r" after it was used \(version \d, expected 0\).*change a copy"):
        z.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("operation", [tg.exp, tg.tanh, tg.sqrt, tg.sigmoid])
def test_an_output_that_backward_needs_must_not_change(operation):
    y = operation(leaf(1.0, 2.0))
    with tg.no_grad():
        y += 1
    with pytest.raises(RuntimeError, match=f"{operation.name}: its output was changed in place"):
        y.sum().backward()


def test_what_backward_does_not_need_may_change():
    x = leaf(1.0, 2.0)
    y = x * 3  # needs 3 alone
    z = y + 1
    y *= 0
    w = z.sum()
    z[0] = 7.0
    w.backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_weights_are_updated_between_steps():
    """As optimizers do; a graph from before the update is stale where it needs the weights."""
    w, x = leaf(1.0, 2.0), fixed(3.0, 4.0)
    for _ in range(3):
        w.grad = None
        (w * w * x).sum().backward()
        with tg.no_grad():
            w -= w.grad * 0.1
    assert w.is_leaf and w.requires_grad
    assert w.tolist() == pytest.approx([1 * 0.4**3, 2 * 0.2**3])
    old = (w * w).sum()
    with tg.no_grad():
        w -= 1
    with pytest.raises(RuntimeError, match=CHANGED):
        old.backward()


def test_a_tensor_changed_by_itself():
    x = leaf(2.0, 3.0)
    y = x * 1
    y += y
    y.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    z = x * 1
    z *= z  # the old value is needed, and gone
    with pytest.raises(RuntimeError, match="multiply: its input"):
        z.sum().backward()


@pytest.mark.parametrize("name", ["relu_", "exp_", "tanh_", "sigmoid_", "sqrt_", "negative_"])
def test_functions_of_their_own_output_work_in_place(name):
    x = leaf(2.0, 3.0)
    getattr(y := x * 1, name)()
    expected = tg.autograd.grad(getattr(x * 1, name[:-1])().sum(), x)[0]
    y.sum().backward()
    assert x.grad.tolist() == expected.tolist()
