"""Whether operations are recorded: nesting, exceptions, threads, generators, decorators."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_lite as tg

SWITCHES = {
    "no_grad": (tg.no_grad, False),
    "enable_grad": (tg.enable_grad, True),
    "set_grad_enabled(False)": (lambda: tg.set_grad_enabled(False), False),
    "set_grad_enabled(True)": (lambda: tg.set_grad_enabled(True), True),
}
each_switch = pytest.mark.parametrize("name", SWITCHES)


def recorded():
    """Whether an operation is recorded; `is_grad_enabled` must say the same."""
    found = (tg.tensor([1.0], requires_grad=True) * 2).requires_grad
    assert found == tg.is_grad_enabled()
    return found


@given(st.lists(st.sampled_from(list(SWITCHES)), max_size=6), st.booleans())
def test_nesting(names, fails):
    """Every block puts back what was before it, also when it is left by an exception."""

    def nest(rest, before):
        assert recorded() == before
        if not rest:
            if fails:
                raise KeyError("out of all blocks")
            return
        make, enabled = SWITCHES[rest[0]]
        try:
            with make():
                nest(rest[1:], enabled)
                assert recorded() == enabled
        finally:
            assert recorded() == before

    if fails:
        with pytest.raises(KeyError):
            nest(names, True)
    else:
        nest(names, True)


def test_what_is_made_without_recording_has_no_history():
    x = tg.tensor([1.0, 2.0], requires_grad=True)
    with tg.no_grad():
        y = x * 2
        leaf = tg.tensor([1.0], requires_grad=True)
    assert not y.requires_grad and y.is_leaf
    assert leaf.requires_grad
    z = x * y
    z.sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_backward_inside_no_grad():
    x = tg.tensor([3.0], requires_grad=True)
    y = (x * x).sum()
    with tg.no_grad():
        y.backward()
        assert not tg.is_grad_enabled()
    assert x.grad.tolist() == [6.0]


@each_switch
def test_one_object_entered_many_times(name):
    make, enabled = SWITCHES[name]
    switch = make()
    for _ in range(2):
        with switch, tg.set_grad_enabled(not enabled), switch:
            assert recorded() == enabled
    tg.set_grad_enabled(True)
    assert recorded()


def test_a_flag_holds_from_now_on():
    """As in PyTorch, where scripts that only predict begin with it."""
    tg.set_grad_enabled(False)
    assert not recorded()
    tg.set_grad_enabled(True)
    assert recorded()
    switch = tg.set_grad_enabled(False)
    with switch:
        assert not recorded()
    assert recorded()


# ---- decorators ----


@each_switch
def test_decorated_functions(name):
    make, enabled = SWITCHES[name]

    @make()
    def function(x, *, twice=False):
        """Its own text."""
        assert recorded() == enabled
        return x * 2 if twice else x

    assert recorded()
    assert function(3, twice=True) == 6
    assert (function.__name__, function.__doc__) == ("function", "Its own text.")
    with tg.set_grad_enabled(not enabled):
        function(1)
        assert recorded() != enabled


def test_decorated_functions_that_raise_or_call_themselves():
    @tg.no_grad()
    def count(n):
        assert not recorded()
        if not n:
            raise KeyError
        with tg.enable_grad():
            count(n - 1)

    with pytest.raises(KeyError):
        count(3)
    assert recorded()


def test_without_brackets():
    @tg.no_grad
    def function():
        return recorded()

    @tg.enable_grad
    def other():
        return recorded()

    assert not function() and recorded()
    with tg.no_grad():
        assert other() and not recorded()


def test_methods():
    class Model:
        @tg.no_grad()
        def predict(self, x):
            return x, recorded()

    assert Model().predict(2) == (2, False)


@pytest.mark.parametrize("make", [tg.no_grad, lambda: tg.set_grad_enabled(False)])
def test_async_functions_are_refused(make):
    async def function():
        pass

    async def generator():
        yield

    for f in (function, generator):
        with pytest.raises(TypeError, match=r"cannot decorate an async function.*use a `with` block inside"):
            make()(f)
    assert recorded()


# ---- generators ----


def test_a_generator_keeps_its_mode_to_itself():
    @tg.no_grad()
    def values():
        for i in range(3):
            assert not recorded()
            yield i
            assert not recorded()
        return "end"

    found = []
    with tg.enable_grad():
        for value in values():
            assert recorded()
            found.append(value)
    assert found == [0, 1, 2] and recorded()


def test_a_generator_gets_values_and_exceptions():
    log = []

    @tg.no_grad()
    def echo():
        value = yield "first"
        while True:
            assert not recorded()
            try:
                value = yield value
            except KeyError as error:
                log.append(recorded())
                value = error.args[0]
            except GeneratorExit:
                log.append("closed")
                raise

    generator = echo()
    assert next(generator) == "first"
    assert generator.send(1) == 1
    assert generator.throw(KeyError("thrown")) == "thrown"
    assert recorded()
    generator.close()
    assert log == [False, "closed"]


def test_a_generator_returns_and_raises():
    @tg.no_grad()
    def values(fails):
        yield 1
        if fails:
            raise LookupError("its own")
        return "result"

    def outer():
        return (yield from values(False))

    generator = outer()
    assert next(generator) == 1
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "result"
    with pytest.raises(LookupError, match="its own"):
        list(values(True))
    assert recorded()


def test_generators_side_by_side():
    def make(switch):
        @switch()
        def values():
            while True:
                yield recorded()

        return values()

    off, on = make(tg.no_grad), make(tg.enable_grad)
    assert [next(g) for g in (off, on, off, on)] == [False, True, False, True]


# ---- threads ----


def in_a_thread(function):
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def test_each_thread_has_its_own_mode():
    with tg.no_grad():
        assert in_a_thread(recorded)
        assert not recorded()

    def off():
        tg.set_grad_enabled(False)
        return recorded()

    assert not in_a_thread(off)
    assert recorded()


def test_threads_that_share_one_object():
    """The second thread enters while the first is inside, and leaves after it."""
    shared, entered, left = tg.no_grad(), threading.Event(), threading.Event()

    def other():
        with tg.no_grad():  # so that what it must put back is not what the first must
            with shared:
                entered.set()
                left.wait(10)
            return tg.is_grad_enabled()

    found = []
    with shared:
        thread = threading.Thread(target=lambda: found.append(other()))
        thread.start()
        entered.wait(10)
    assert recorded()
    left.set()
    thread.join()
    assert found == [False]


def test_backward_in_many_threads_at_once():
    """Graphs that share a leaf but nothing else."""
    x = tg.tensor([1.0, 2.0], requires_grad=True)

    def work(results, i):
        results[i] = tg.autograd.grad((x * x * i).sum(), x)[0].tolist()

    results = {}
    threads = [threading.Thread(target=work, args=(results, i)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == {i: [2.0 * i, 4.0 * i] for i in range(8)}
