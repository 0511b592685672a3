"""The matrix product on both devices: exactly on small whole numbers, by random projections on large matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from kernel_arrays import same_for_thread_counts
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu import matmul as cpu
from tinygrad_lite_kernels.cpu.matmul_blocks import BLOCK_K, BLOCK_N, FLAT_ROWS, HUGE_BYTES, PACK_ROWS
from tinygrad_lite_kernels.cpu.matmul_emit import vector_bytes
from tinygrad_lite_kernels.cpu.matmul_few import DOT_K, FEW
from tinygrad_lite_kernels.cpu.matmul_tile import tile_rows
from tinygrad_lite_kernels.reference import matmul as reference

DEVICES = pytest.mark.parametrize("device", [reference, cpu], ids=["numpy", "cpu"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
MR = tile_rows()[-1]


def whole(dtype, *shape):
    """Whole numbers so small that every sum of products is exact."""
    return np.random.default_rng(sum(shape)).integers(-9, 10, shape).astype(dtype)


def exact(a, b):
    return np.matmul(a.astype(np.int64), b.astype(np.int64))


def assert_product(device, a, b):
    """Right with a new plan and with a remembered one; a new array of the operands' dtype, which stay as they were."""
    before, wanted = (a.copy(), b.copy()), exact(a, b)
    for _ in range(2):
        got = device.matmul(a, b)
        assert (type(got), got.dtype, got.shape) == (np.ndarray, a.dtype, np.shape(wanted))
        np.testing.assert_array_equal(got, wanted)
    np.testing.assert_array_equal(a, before[0])
    np.testing.assert_array_equal(b, before[1])


def widths(dtype):
    """Numbers of columns around whole vectors."""
    lanes = vector_bytes() // np.dtype(dtype).itemsize
    return sorted({max(1, lanes * n + d) for n in (0, 1, 2, 4, 8, 10) for d in (-1, 0, 1)})


@DTYPES
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_size_around_the_tile(dtype, order):
    for n in widths(dtype):
        for m in range(MR + 2):
            for k in (0, 1, 2, 7):
                assert_product(cpu, whole(dtype, m, k), np.asarray(whole(dtype, k, n), order=order))


ROWS = [1, MR, PACK_ROWS - 1, PACK_ROWS, PACK_ROWS + MR + 1]
DEPTHS = [BLOCK_K - 1, BLOCK_K, BLOCK_K + 1, 2 * BLOCK_K + 17]
COLUMNS = [1, 10, BLOCK_N - 1, BLOCK_N, BLOCK_N + 1, 1024]


@pytest.mark.parametrize("n", COLUMNS)
@pytest.mark.parametrize("k", DEPTHS)
def test_sizes_around_the_blocks(k, n):
    for m in ROWS:
        for order in "CF":
            assert_product(cpu, whole(np.float32, m, k), np.asarray(whole(np.float32, k, n), order=order))
    assert_product(cpu, np.asfortranarray(whole(np.float64, MR + 1, k)), whole(np.float64, k, n))


def lanes(dtype):
    return vector_bytes() // np.dtype(dtype).itemsize


@DTYPES
@pytest.mark.parametrize("deep", [0, 1, 2])
def test_few_rows_or_columns_along_the_depth(dtype, deep):
    start = 4 * lanes(dtype)
    depths = [[start - 1, start, start + 1], [start + lanes(dtype) - 1, 5 * start + 3], [DOT_K - 1, DOT_K, DOT_K + 1]]
    for k in depths[deep]:
        for few in (1, 2, 3, 4, 5, 7, FEW - 1, FEW, FEW + 1):
            for other in (1, 3, 8, 9, 20):
                for m, n in ((few, other), (other, few)):
                    assert_product(cpu, whole(dtype, m, k), np.asfortranarray(whole(dtype, k, n)))


@DTYPES
def test_few_columns_sideways(dtype):
    some = 4 * lanes(dtype)
    for n in (1, 2, 5, FEW - 1, FEW, FEW + 1):
        for m in (some - 1, some, some + 1, BLOCK_N - 1, BLOCK_N + 1):
            a, b = whole(dtype, m, 20), whole(dtype, 20, n)
            for left in (a, np.asfortranarray(a), np.repeat(np.repeat(a, 2, 0), 2, 1)[::2, ::2]):
                assert_product(cpu, left, b)
    for m in (some, BLOCK_N + 1):
        out = whole(dtype, m, 3)
        a, b, before = whole(dtype, m, 7), whole(dtype, 7, 3), out.copy()
        cpu.matmul(a, b, out, accumulate=True)
        np.testing.assert_array_equal(out, before + exact(a, b))


@DTYPES
def test_rows_a_page_apart(dtype):
    k = 4096 // np.dtype(dtype).itemsize
    for m in (MR - 1, MR, MR + 1, 3 * MR + 2):
        for n in (4 * lanes(dtype) - 1, 4 * lanes(dtype), 4 * lanes(dtype) + 1):
            assert_product(cpu, whole(dtype, m, k), whole(dtype, k, n))


def test_few_rows_by_a_matrix_beyond_the_cache():
    k = 1500
    for n in (HUGE_BYTES // 4 // k - 1, HUGE_BYTES // 4 // k + 2):
        b = whole(np.float32, k, n)
        for m in (1, 2, FLAT_ROWS - 1, FLAT_ROWS):
            a = whole(np.float32, m, k)
            np.testing.assert_array_equal(cpu.matmul(a, b), a.astype(np.float64) @ b)


@st.composite
def laid_out(draw, dtype, shape):
    """Small whole numbers in some layout: axes in any order in memory, each with steps, backwards or repeated."""
    steps = [draw(st.sampled_from([1, 1, -1, 2, -3, 0])) for _ in shape]
    order = draw(st.permutations(range(len(shape))))
    sizes = [n * abs(step) if step else min(n, 1) for n, step in zip(shape, steps, strict=True)]
    memory = whole(dtype, *(sizes[axis] for axis in order)).transpose(np.argsort(order))
    return np.broadcast_to(memory[tuple(slice(None, None, step or 1) for step in steps)], shape)


@DEVICES
@DTYPES
@given(data=st.data())
def test_layouts_vectors_and_stacks(device, dtype, data):
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(signature=np.matmul.signature, max_dims=2, min_side=0, max_side=6)
    )
    assert_product(device, *(data.draw(laid_out(dtype, shape)) for shape in shapes.input_shapes))


@pytest.mark.parametrize("m, k, n", [(30, 40, 50), (1, 300, 70), (70, 300, 1), (30, 1, 50)])
@given(data=st.data())
def test_layouts_of_larger_operands(m, k, n, data):
    assert_product(cpu, data.draw(laid_out(np.float32, (m, k))), data.draw(laid_out(np.float32, (k, n))))


def test_fields_of_structured_arrays():
    records = np.zeros((6, 6), [("a", np.int8), ("b", np.float64)])
    records["b"] = whole(np.float64, 6, 6)
    assert_product(cpu, records["b"], records["b"].T)


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, ">f4", np.complex128])
def test_other_dtypes_are_numpys(dtype):
    a = np.arange(12).reshape(3, 4).astype(dtype)
    got = cpu.matmul(a, a.T)
    assert got.dtype == (a @ a.T).dtype
    np.testing.assert_array_equal(got, a @ a.T)


@DTYPES
@pytest.mark.parametrize("m, k, n", [(777, 1300, 1000), (2000, 61, 1031), (64, 5000, 70), (1, 3000, 2000)])
@pytest.mark.parametrize("layout", ["nn", "nt", "tn"])
def test_large_products_by_projection(dtype, m, k, n, layout):
    rng = np.random.default_rng(m + n)
    a, b = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    a, b = (np.asfortranarray(x) if order == "t" else x for x, order in zip((a, b), layout, strict=True))
    signs = rng.choice([-1.0, 1.0], (n, 4))
    error = np.abs(cpu.matmul(a, b) @ signs - a.astype(np.float64) @ (b.astype(np.float64) @ signs))
    unit = np.finfo(dtype).eps * np.linalg.norm(a) * np.linalg.norm(b) / np.sqrt(m)
    assert error.max() < 5 * unit  # a product left out is 60 to 4000 units in float32


@DEVICES
@DTYPES
@pytest.mark.parametrize(
    "shape_a, shape_b", [((5, 7), (7, 9)), ((7,), (7, 9)), ((40, 400), (400,)), ((3, 1, 5, 7), (2, 7, 9))]
)
@pytest.mark.parametrize(
    "layout", [lambda a: a, lambda a: np.asfortranarray(a), lambda a: np.repeat(a, 2, -1)[..., ::2]]
)
def test_into_given_memory_and_added_to_it(device, dtype, shape_a, shape_b, layout):
    a, b = whole(dtype, *shape_a), whole(dtype, *shape_b)
    wanted = exact(a, b)
    out = layout(whole(dtype, *wanted.shape))
    before = out.copy()
    assert device.matmul(a, b, out, accumulate=True) is out
    np.testing.assert_array_equal(out, before + wanted)
    assert device.matmul(a, b, out) is out
    np.testing.assert_array_equal(out, wanted)


@DEVICES
def test_accumulating_nothing(device):
    c = whole(np.float32, 3, 4)
    before = c.copy()
    empty = np.zeros((3, 0), np.float32), np.zeros((0, 4), np.float32)
    np.testing.assert_array_equal(device.matmul(*empty, c, accumulate=True), before)
    np.testing.assert_array_equal(device.matmul(*empty, c), np.zeros((3, 4)))


@DEVICES
@pytest.mark.parametrize("accumulate", [False, True])
def test_out_may_be_an_operand_or_overlap_one(device, accumulate):
    n = 2 * MR + 1
    for pick in (
        lambda x: (x[:n], x[n:], x[:n]),
        lambda x: (x[:n], x[n:], x[n:]),
        lambda x: (x[:n], x[2:][:n].T, x[1:][:n]),
    ):
        a, b, out = pick(whole(np.float32, 2 * n, n))
        wanted = exact(a, b) + (out if accumulate else 0)
        device.matmul(a, b, out, accumulate)
        np.testing.assert_array_equal(out, wanted)


@DTYPES
@pytest.mark.parametrize("order", ["C", "F"])
def test_only_the_result_is_written(dtype, order):
    for m, n in [(1, 1), (MR - 1, 3), (MR + 1, 33), (PACK_ROWS + 1, 65)]:
        memory = np.full((m + 2) * n, 5, dtype)
        out = memory[n:-n].reshape(m, n)
        a, b = whole(dtype, m, 8), np.asarray(whole(dtype, 8, n), order=order)
        cpu.matmul(a, b, out)
        np.testing.assert_array_equal(out, exact(a, b))
        np.testing.assert_array_equal(memory[[*range(n), *range(-n, 0)]], 5)


@DTYPES
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_lies_around_the_operands_does_not_leak(dtype, order):
    for m, k, n in [(1, 9, 17), (MR - 1, 5, 3), (MR + 1, 16, 33), (PACK_ROWS + 1, 17, 65)]:
        a, b = (np.full((r + 2, c + 2), np.nan, dtype, order) for r, c in ((m, k), (k, n)))
        a[1:-1, 1:-1], b[1:-1, 1:-1] = whole(dtype, m, k), whole(dtype, k, n)
        assert_product(cpu, a[1:-1, 1:-1], b[1:-1, 1:-1])


@DEVICES
@DTYPES
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("order", ["C", "F"])
def test_special_values_stay_in_their_rows_and_columns(device, dtype, value, order):
    for m, k, n in [(MR + 1, 5, 17), (2 * MR, BLOCK_K + 3, 65), (1, 20, 33), (33, 20, 1), (9, 70, 11), (70, 40, 5)]:
        a, b = np.abs(whole(dtype, m, k)) + 1, np.asarray(np.abs(whole(dtype, k, n)) + 1, order=order)
        clean = exact(a, b).astype(dtype)
        a[m // 2, k // 2] = value
        wanted = clean.copy()
        wanted[m // 2] = value
        np.testing.assert_array_equal(device.matmul(a, b), wanted)
        a[m // 2, k // 2], b[k // 2, n // 2] = 1, value
        assert np.flatnonzero(~np.isfinite(device.matmul(a, b)).all(axis=0)).tolist() == [n // 2]
        b[0 if k // 2 else 1, n // 2] = -value  # infinities of both signs in one sum
        assert np.isnan(device.matmul(a, b)[:, n // 2]).all()


@DTYPES
@pytest.mark.parametrize(
    "shape_a, shape_b",
    [
        ((300, 200), (200, 500)),
        ((900, 300), (300, 100)),
        ((40, 60, 80), (80, 70)),
        ((3000, 900), (900,)),
        ((900,), (900, 3001)),
        ((FEW, 900), (900, 3001)),
        ((3001, 900), (900, FEW - 5)),
        ((2, 4096), (4096, 1100)),
        ((300, 1024), (1024, 200)),
    ],
    ids=str,
)
def test_thread_counts_give_the_same_bits(dtype, shape_a, shape_b):
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal(shape_a).astype(dtype), rng.standard_normal(shape_b).astype(dtype)
    for x, y in ((a, b), (np.asfortranarray(a), b), (a, np.asfortranarray(b))):
        same_for_thread_counts(lambda x=x, y=y: cpu.matmul(x, y))


def test_no_compilation_for_another_shape():
    cpu.matmul(np.ones((2, 3)), np.ones((3, 2)))
    cpu.matmul(np.ones((2, 3)), np.ones(3))
    before = len(native._loaded)
    for shape in ((7, 50), (2, 9, 4), (1, 1)):
        a = np.ones(shape)
        cpu.matmul(a, np.ones(shape[-1:] * 2))
        cpu.matmul(a, np.ones(shape[-1]))
    assert len(native._loaded) == before


BAD = [
    (
        np.ones((2, 3)),
        np.ones((4, 5)),
        ValueError,
        r"the last axis of the first has size 3, the second last axis of the second 4",
    ),
    (np.ones(3), np.ones(4), ValueError, r"shapes \(3,\) and \(4,\) do not fit: .* the only axis of the second 4"),
    (np.float64(1), np.ones(3), ValueError, r"operands need at least one axis, got shapes \(\) and \(3,\); use \*"),
    (np.ones((2, 3, 3)), np.ones((4, 3, 3)), ValueError, r"leading axes of shapes \(2, 3, 3\) and \(4, 3, 3\) do not"),
    (np.ones((2, 2)), np.ones((2, 2), np.float32), TypeError, r"dtypes float64 and float32; convert one with \.astype"),
]


@DEVICES
@pytest.mark.parametrize("a, b, error, text", BAD)
def test_operands_that_do_not_fit(device, a, b, error, text):
    with pytest.raises(error, match=f"^matmul: .*{text}"):
        device.matmul(a, b)


@DEVICES
def test_out_that_does_not_fit(device):
    a, frozen = np.ones((2, 2)), np.ones((2, 2))
    frozen.flags.writeable = False
    for out in [np.ones(2), np.ones((2, 2), np.float32), np.ones((2, 2), ">f8"), frozen]:
        with pytest.raises(
            ValueError, match=r"^matmul: out must be a writable array of shape \(2, 2\) and dtype float64"
        ):
            device.matmul(a, a, out)
