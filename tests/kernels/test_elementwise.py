"""Printed elementwise kernels against NumPy evaluating the same program.

Where a product meets a sum the compiler may round once instead of twice, so exact comparisons keep them apart.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kernel_arrays import same_for_thread_counts
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu.elementwise import elementwise, elementwise_into
from tinygrad_lite_kernels.cpu.printer import kernel_function
from tinygrad_lite_kernels.expr import OPS, cast, functions, inputs, program, step_dtypes
from tinygrad_lite_kernels.reference import elementwise as reference

A, B, C = inputs(3)
MIXED = program([A * B, A + 1, functions["where"](A < B, A, B)], 2)
DTYPES = [np.float32, np.float64, np.int32, np.int64, np.uint8, np.bool_]


def arrays_of(dtype, shape):
    return hnp.arrays(dtype, shape, elements=hnp.from_dtype(np.dtype(dtype)))


def assert_same(program, *arrays):
    got, wanted = elementwise(program)(*arrays), reference.elementwise(program)(*arrays)
    for g, w in zip(got, wanted, strict=True):
        assert (g.dtype, g.shape) == (w.dtype, w.shape)
        np.testing.assert_array_equal(g, w)


@st.composite
def laid_out(draw, dtype, shape):
    """An array of a shape in some layout: contiguous, transposed, strided, backwards, or repeated."""
    kind = draw(st.sampled_from(["c", "f", "step", "back", "repeat"]))
    if kind == "repeat" and shape:
        return np.broadcast_to(draw(arrays_of(dtype, (1, *shape[1:]))), shape)
    if kind == "step" and shape:
        return draw(arrays_of(dtype, (*shape[:-1], shape[-1] * 2)))[..., ::2]
    a = draw(arrays_of(dtype, shape))
    return {"f": np.asfortranarray(a), "back": a[..., ::-1] if shape else a}.get(kind, a)


@pytest.mark.parametrize("dtype", DTYPES)
@given(data=st.data())
@settings(max_examples=40)
def test_shapes_and_layouts(dtype, data):
    shapes = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, min_side=0, max_dims=4, max_side=5))
    a, b = (data.draw(laid_out(dtype, s)) for s in shapes.input_shapes)
    before = a.copy(), b.copy()
    assert_same(MIXED, a, b)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


SIMPLE = "add subtract multiply negative square relu where equal less logical_and logical_not bitwise_xor".split()


SIMPLE_CASES = [(op, dtype) for op in SIMPLE for dtype in (np.int8, np.uint16, np.uint64, np.float32)
                if not (op.startswith("bitwise") and dtype is np.float32)]  # fmt: skip


@pytest.mark.parametrize("op, dtype", SIMPLE_CASES)
def test_operations_keep_their_dtype(op, dtype):
    xs = inputs(OPS[op].arity)
    arrays = [np.array([3, 100, 127, 0, 1], dtype), np.array([100, 100, 2, 0, 5], dtype), np.arange(5).astype(dtype)]
    assert_same(program(functions[op](*xs), len(xs)), *arrays[: len(xs)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
@settings(max_examples=200)
def test_nextafter_is_exact(dtype, data):
    pair = data.draw(hnp.arrays(dtype, 2, elements=hnp.from_dtype(np.dtype(dtype))))
    step = program(functions["nextafter"](A, B), 2)
    for a, b in [pair, pair[::-1], (pair[0], -pair[0]), (pair[0], np.nextafter(*pair)), (dtype(0), pair[1])]:
        (got,) = elementwise(step)(np.array([a]), np.array([b]))
        assert got.tobytes() == np.nextafter(a, b).tobytes() or (np.isnan(got) and np.isnan(np.nextafter(a, b)))


@pytest.mark.parametrize("left", DTYPES)
@pytest.mark.parametrize("right", DTYPES)
def test_mixed_dtypes(left, right):
    a, b = np.array([0, 1, 3], left), np.array([2, 1, 0], right)
    assert_same(program([A + B, A < B, A * 2, A / B], 2), a, b)


def test_floats_win_over_integers_and_default_is_float32():
    p = program([A + B, A / 2, A + 0.5], 2)
    kinds = step_dtypes(p, [np.dtype(np.int64), np.dtype(np.float32)])
    assert [kinds[i].name for i in p.outputs] == ["float32", "float32", "float32"]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 63, 64, 65, 1000, 70_001])
def test_sizes_around_vector_widths(size):
    a = np.arange(size, dtype=np.float32)
    assert_same(program([A * A, A + A], 1), a)


def test_special_values_stay_in_their_places():
    a = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38] * 5, np.float32)
    with np.errstate(all="ignore"):
        assert_same(program([A * 0, A - A, A / A, A * 2, functions["relu"](A)], 1), a)


@pytest.mark.parametrize("order", ["C", "F"])
def test_results_lie_as_the_first_operand_that_is_not_a_repeated_one(order):
    """A vector repeated along rows has strides too, but says nothing about the order of memory."""
    repeated = np.broadcast_to(np.ones(5, np.float32), (4, 5))
    given = np.ones((4, 5), np.float32, order=order)
    for arrays in ((repeated, given), (given, repeated)):
        assert elementwise(program([A * B], 2)).one(*arrays).strides == given.strides
    assert elementwise(program([A * B], 2)).one(repeated, repeated).flags.c_contiguous


def test_in_place_outputs_may_be_inputs():
    p, m, g = (np.random.default_rng(i).random(1001) for i in range(3))
    update = program([A - 0.1 * (0.9 * B + C), 0.9 * B + C], 3)
    wanted = reference.elementwise(update)(p, m, g)
    elementwise_into(update)(p, m, p, m, g)
    np.testing.assert_allclose(p, wanted[0], rtol=1e-12)
    np.testing.assert_allclose(m, wanted[1], rtol=1e-12)


def test_outputs_are_checked():
    add = elementwise_into(program([A + B], 2))
    a = np.ones(3)
    for out in [np.ones(4), np.ones(3, np.float32), np.broadcast_to(np.ones(1), 3)]:
        with pytest.raises(ValueError, match="an output must be a writable array of shape"):
            add(out, a, a)


def test_cast_between_dtypes():
    a = np.array([-1.7, 0.0, 2.9, 300.0])
    assert_same(program([cast(A, np.int64), cast(A, np.bool_), cast(A, np.float32)], 1), a)


@pytest.mark.parametrize("bad", [np.zeros(2, complex), np.zeros(2, object), np.zeros(2, ">f4"), [1.0], 2.0, None])
def test_what_no_kernel_takes_is_a_type_error(bad):
    with pytest.raises(TypeError, match="elementwise takes NumPy arrays"):
        elementwise(program([A + 1], 1))(bad)


def test_shapes_that_do_not_broadcast():
    with pytest.raises(ValueError, match=r"shapes \(2,\), \(3,\) do not broadcast"):
        elementwise(MIXED)(np.zeros(2), np.zeros(3))


def test_fields_of_structured_arrays():
    records = np.zeros(4, [("a", np.float64), ("b", np.int8)])
    with pytest.raises(ValueError, match="copy it first"):
        elementwise(program([A + 1], 1))(records["a"])


def test_no_compilation_for_another_shape():
    run = elementwise(MIXED)
    run(np.ones((2, 3)), np.ones((2, 3)))
    before = len(native._loaded)
    run(np.ones((7, 50)), np.ones((7, 50)))
    run(np.ones(1000), np.ones(1000))
    assert len(native._loaded) == before


def test_thread_counts_give_the_same_bits():
    a = np.random.default_rng(0).random(3_000_000).astype(np.float32)
    expression = A
    for _ in range(6):
        expression = expression * A + 0.5
    run = elementwise(program([expression], 1)).one
    same_for_thread_counts(lambda: run(a))


def test_source_can_be_read():
    text = native.source_of(kernel_function(program([A * 2 + B], 2), "ff", "ccs"))
    assert "t3 = x0 * float32(2)" in text.replace("2.0", "2")
