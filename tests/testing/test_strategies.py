"""The strategies that users import: everything they promise is drawn, nothing else."""

import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import tinygrad_lite as tg
from tinygrad_lite.testing import broadcastable_shapes, shapes, tensors
from tinygrad_lite.testing.strategies import LAYOUTS

FLOATS, NUMBERS = ["float32", "float64"], ["float32", "float64", "int8", "int64", "uint8", "bool"]
SEARCH = settings(max_examples=3000, database=None)


def first(strategy, test=lambda _: True):
    return find(strategy, test, settings=SEARCH, random=random.Random(0))


@pytest.mark.parametrize("package", ["tinygrad_lite", "tinygrad_lite.testing", "tinygrad_lite.testing.samples"])
def test_importing_the_library_imports_no_test_tools(package):
    code = f"import sys, {package}; print({{'hypothesis', 'pytest', '_pytest'}} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_names():
    assert tg.testing.tensors is tensors
    with pytest.raises(AttributeError, match="has no attribute 'tensor'"):
        tg.testing.tensor  # noqa: B018


# ---- shapes ----


@given(shapes(min_dims=1, max_dims=3, min_side=2, max_side=4))
def test_shapes_keep_to_their_bounds(shape):
    assert 1 <= len(shape) <= 3 and all(2 <= n <= 4 for n in shape)


def test_edge_cases_of_shapes_are_found():
    assert first(shapes()) == ()
    for wanted in [(0,), (1, 1), (3, 0), (1, 5), (2, 2, 2, 2)]:
        assert first(shapes(), lambda shape, wanted=wanted: shape == wanted) == wanted


@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), broadcastable_shapes(n, max_side=3))))
def test_shapes_broadcast_together(drawn):
    count, found = drawn
    assert len(found) == count and all(n <= 3 for shape in found for n in shape)
    np.broadcast_shapes(*found)


def test_shapes_differ_in_all_ways_that_broadcasting_allows():
    ways = [
        lambda a, b: len(a) < len(b),
        lambda a, b: a[-1:] == (1,) and b[-1:] > (1,),
        lambda a, b: a[-1:] == (0,) and b[-1:] == (1,),
        lambda a, b: len(a) == len(b) == 2 and a < b,
        lambda a, b: a == (),
    ]
    for way in ways:
        assert way(*first(broadcastable_shapes(), lambda both, way=way: way(*both)))


# ---- tensors ----


@given(tensors(dtype=st.sampled_from(NUMBERS), low=-3.7, high=100.3, requires_grad=False))
def test_values_keep_to_their_bounds(x):
    assert isinstance(x, tg.Tensor) and x.dtype in NUMBERS
    assert np.all((x._data >= -3.7) & (x._data <= 100.3))


@given(tensors((2, 3), dtype=st.sampled_from(FLOATS), low=0.1, high=0.3, requires_grad=st.booleans()))
def test_bounds_that_the_dtype_cannot_represent(x):
    wide = x._data.astype(np.float64)
    assert np.all((wide >= 0.1) & (wide <= 0.3))


@given(tensors(shapes(max_dims=2, max_side=3), unique=True))
def test_values_can_be_made_distinct(x):
    assert len(np.unique(x._data)) == x.size


@given(tensors(elements=st.sampled_from([2.0, 3.0])))
def test_values_from_a_strategy(x):
    assert set(x._data.ravel()) <= {2.0, 3.0}


@pytest.mark.parametrize("dtype", FLOATS)
def test_special_values_are_found(dtype):
    special, limits = tensors((1,), dtype, special=True), np.finfo(dtype)
    tests = [np.isnan, np.isposinf, np.isneginf, lambda a: (a == 0) & np.signbit(a), lambda a: a == limits.max,
             lambda a: (a != 0) & (abs(a) < limits.tiny)]  # fmt: skip
    for test in tests:
        assert test(first(special, lambda x, test=test: test(x._data[0]))._data[0])


@given(tensors(low=-1e300, high=1e300))
def test_values_are_finite_where_nothing_is_said(x):
    assert np.isfinite(x._data).all()


@given(st.data(), shapes(max_dims=3, max_side=3), st.sampled_from(list(LAYOUTS)))
def test_layouts_keep_the_shape(data, shape, layout):
    assert data.draw(tensors(shape, layouts=[layout])).shape == shape


@given(st.data(), st.sampled_from(list(LAYOUTS)))
def test_layouts_change_places_but_not_what_is_there(data, layout):
    x = data.draw(tensors(shapes(min_dims=2, min_side=2), elements=st.floats(-5, 5), layouts=[layout]))
    strides = x._data.strides
    packed = np.zeros(x.shape).strides
    assert {
        "contiguous": strides == packed,
        "transposed": strides == np.zeros(x.shape, order="F").strides,
        "gaps": strides == tuple(2 * s for s in packed),
        "backwards": strides == tuple(-s for s in packed),
        "repeated": strides[0] == 0,
    }[layout]
    y = tg.Tensor(x._data.copy())
    assert (x * 2).tolist() == (y * 2).tolist()


def test_every_layout_is_drawn():
    wanted = [lambda a: a.flags.c_contiguous, lambda a: a.flags.f_contiguous and not a.flags.c_contiguous,
              lambda a: abs(a.strides[-1]) > a.itemsize, lambda a: a.strides[-1] < 0]  # fmt: skip
    for test in wanted:
        assert test(first(tensors((2, 3)), lambda x, test=test: test(x._data))._data)
    with pytest.raises(NoSuchExample):
        find(tensors((2, 3)), lambda x: 0 in x._data.strides, settings=settings(max_examples=200, database=None))


@given(tensors(layouts=["transposed", "gaps", "backwards"], requires_grad=True))
def test_they_can_be_differentiated_and_changed(x):
    (x * x).sum().backward()
    np.testing.assert_allclose(x.grad._data, 2 * x._data)
    with tg.no_grad():
        x += 1


@given(tensors((2,), device=st.sampled_from(["cpu", "numpy"]), requires_grad=True))
def test_they_are_on_the_device_that_was_asked_for(x):
    assert x.device in ("cpu", "numpy") and x.requires_grad and x.is_leaf


def test_the_default_device_is_that_of_the_moment():
    strategy = tensors(())
    tg.set_default_device("numpy")
    assert first(strategy).device == "numpy"


def test_failures_shrink():
    x = first(tensors(), lambda x: bool((x._data > 1).any()))
    assert x.size == 1 and x.item() == 2.0 and x._data.flags.c_contiguous


@given(tensors(shapes(max_dims=2, max_side=3), low=0.5, high=2.0, requires_grad=True))
def test_together_with_gradcheck(x):
    assert tg.gradcheck(lambda x: x.log() * x, x, fast_mode=True)


@pytest.mark.parametrize("layouts", [["sideways"], []])
def test_unknown_layouts(layouts):
    with pytest.raises(ValueError, match="layouts must be of contiguous, transposed, gaps, backwards, repeated; got"):
        tensors(layouts=layouts)
