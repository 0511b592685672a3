"""Every operation of the table, tried in the same ways: values, special values, layouts, memory, derivatives."""

import numpy as np
import pytest
from tinygrad_lite_kernels import native

import tinygrad_lite as tg
from tinygrad_lite.autograd.sweep import grad
from tinygrad_lite.testing.check import first_order, second_order
from tinygrad_lite.testing.samples import OPERATIONS, unlisted

DEVICES = ["numpy", "cpu"]
FLOATS = [np.float32, np.float64]
DTYPES = {"f": FLOATS, "i": [np.int64], "u": [np.uint8], "b": [np.bool_]}
ALL = list(OPERATIONS.values())
DIFFERENTIABLE = [o for o in ALL if o.order]
ELEMENTWISE = [o for o in ALL if o.elementwise]

each_device = pytest.mark.parametrize("device", DEVICES)


def each(operations):
    return pytest.mark.parametrize("operation", operations, ids=[o.name for o in operations])


def apply(operation, arrays, device, params):
    """The operation on tensors that share the arrays' memory."""
    tensors = [tg.tensor(0, device=device).detach() for _ in arrays]
    for t, a in zip(tensors, arrays, strict=True):
        t._data = a
    return operation.call(*tensors, **params)


def assert_close(got, wanted, units):
    """Equal within `units` of machine epsilon, of values relative to their size or to 1."""
    wanted = np.asarray(wanted)
    assert got.shape == wanted.shape
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, wanted)
        return
    wide = wanted.astype(np.longdouble)
    with np.errstate(all="ignore"):
        error = np.abs(got.astype(np.longdouble) - wide) / np.maximum(1, np.abs(wide))
    assert np.all((error <= units * np.finfo(got.dtype).eps) | (got == wide) | (np.isnan(got) & np.isnan(wide)))


def test_the_table_knows_every_operation():
    assert unlisted() == set()


# ---- values ----


def cases_and_dtypes(operation, device):
    """Everything on the reference; on the compiled device, where each costs a kernel, all cases in float64 only."""
    for kind in operation.dtypes.replace("u", "") if device == "cpu" else operation.dtypes:
        for dtype in DTYPES[kind]:
            everything = device == "numpy" or dtype is np.float64
            for case in operation.cases if everything else operation.cases[:1]:
                yield case, dtype


@each_device
@each(ALL)
def test_values_and_memory(operation, device):
    for case, dtype in cases_and_dtypes(operation, device):
        arrays = operation.arrays(case, dtype)
        before = [a.copy() for a in arrays]
        y = apply(operation, arrays, device, case.params)
        wanted = np.asarray(operation.wanted(case, arrays))
        assert_close(y._data, wanted, operation.tolerance)
        assert y.device == device
        expected = np.dtype(dtype) if wanted.dtype.kind == "f" and np.dtype(dtype).kind == "f" else y.dtype
        assert y.dtype == (bool if wanted.dtype.kind == "b" else "float64" if operation.name == "astype" else expected)
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b)
            assert operation.view or not np.shares_memory(y._data, a)


# ---- special values ----

SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-3, np.inf, -np.inf, np.nan]
BOUNDS = ("smallest_subnormal", "tiny", "max", "eps")


def special(dtype):
    limits = [float(getattr(np.finfo(dtype), name)) for name in BOUNDS]
    limits += [limits[2] ** 0.5 * 2, limits[2] ** 0.25]
    return np.array([*SPECIAL, *limits, *(-x for x in limits)], dtype)


def special_inputs(operation, dtype):
    """All combinations of special values, one after another."""
    values = special(dtype)
    kinds = [operation.domain(i).kind for i in range(len(operation.cases[0].shapes))]
    pools = [np.array([True, False]) if k == "b" else values for k in kinds]
    return [np.ascontiguousarray(g.ravel()) for g in np.meshgrid(*pools, indexing="ij")]


def negative_zero(a):
    return (a == 0) & np.signbit(a)


@pytest.mark.parametrize("dtype", FLOATS)
@each([o for o in ELEMENTWISE if "f" in o.dtypes])
def test_special_values_come_out_the_same(operation, dtype):
    arrays = special_inputs(operation, dtype)
    params = operation.cases[0].params
    reference, compiled = (apply(operation, arrays, device, params)._data for device in DEVICES)
    if reference.dtype.kind == "f":
        for trait in (np.isnan, np.isposinf, np.isneginf, negative_zero):
            wrong = trait(reference) != trait(compiled)
            assert not wrong.any(), f"{trait.__name__} differs at {[a[wrong][:4] for a in arrays]}"
    assert_close(compiled, reference, operation.tolerance)


# ---- layouts ----

LAYOUTS = {
    "fortran": np.asfortranarray,
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "stepped": lambda a: np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a,
    "backwards": lambda a: np.ascontiguousarray(a[..., ::-1])[..., ::-1] if a.ndim else a,
    "repeated": lambda a: np.broadcast_to(a[:1], a.shape) if a.ndim else a,
    "read-only": lambda a: np.frombuffer(a.tobytes(), a.dtype).reshape(a.shape),
}


@each_device
@each(ALL)
def test_layouts_do_not_matter(operation, device):
    dtype = np.float64 if "f" in operation.dtypes else np.int64
    case = operation.cases[0]
    for layout in LAYOUTS.values():
        arrays = [layout(a) for a in operation.arrays(case, dtype)]
        plain = [np.array(a, order="C") for a in arrays]
        y, wanted = (apply(operation, inputs, device, case.params)._data for inputs in (arrays, plain))
        assert y.dtype == wanted.dtype
        assert_close(y, wanted, 4)
        for a, p in zip(arrays, plain, strict=True):
            np.testing.assert_array_equal(a, p)


# ---- derivatives ----


@each_device
@each(DIFFERENTIABLE)
def test_first_derivatives(operation, device):
    compiled = device == "cpu"
    for case in operation.cases[: 1 if compiled else None]:
        first_order(operation, case, device, layouts=not (compiled and operation.elementwise)).raise_first()


@each_device
@each([o for o in DIFFERENTIABLE if o.order > 1])
def test_second_derivatives(operation, device):
    for case in operation.cases[: 1 if device == "cpu" else None]:
        second_order(operation, case, device, layouts=device == "numpy").raise_first()


def gradients(operation, case, device, dtype):
    """The gradients of a weighted sum of the outputs."""
    tensors = operation.tensors(case, device, dtype)
    y = operation.call(*tensors, **case.params)
    weights = np.cos(np.arange(y.size, dtype=np.float64)).reshape(y.shape).astype(y.dtype)
    wanted = [t for t in tensors if t.requires_grad]
    return grad(y, wanted, tg.tensor(weights, device=device), allow_unused=True)


@each_device
@each([o for o in DIFFERENTIABLE if not o.flat])
def test_float32_gradients_agree_with_float64(operation, device):
    case = operation.cases[0]
    single, double = (gradients(operation, case, device, dtype) for dtype in FLOATS)
    for s, d in zip(single, double, strict=True):
        assert (s is None) == (d is None)
        if s is not None:
            assert (s.dtype, s.shape) == (np.float32, d.shape)
            np.testing.assert_allclose(s._data, d._data, rtol=1e-4, atol=1e-5)


# ---- kernels ----


@each([o for o in ELEMENTWISE if "f" in o.dtypes])
def test_another_shape_needs_no_other_kernel(operation):
    params, count = operation.cases[0].params, len(operation.cases[0].shapes)
    arrays = operation.arrays(operation.cases[0], np.float64)
    same = [np.broadcast_to(a, arrays[0].shape).copy() for a in arrays]
    apply(operation, same, "cpu", params)
    known = len(native._loaded)
    for shape in [(5, 7), (64,), (2, 3, 4)]:
        apply(operation, [np.resize(a, shape) for a in same][:count], "cpu", params)
    assert len(native._loaded) == known


# ---- kinks ----


def slope(function, *values):
    tensors = [tg.tensor(v, dtype="float64", requires_grad=True) for v in values]
    return [g._data.tolist() for g in grad(function(*tensors).sum(), tensors)]


@each_device
def test_slopes_at_kinks(device):
    tg.set_default_device(device)
    assert slope(tg.relu, [0.0, -0.0]) == [[0.0, 0.0]]
    assert slope(tg.abs, [0.0, -0.0]) == [[0.0, 0.0]]
    assert slope(tg.norm, [0.0, 0.0]) == [[0.0, 0.0]]
    rows = slope(lambda x: tg.norm(x, axis=1), [[0.0, 0.0], [3.0, 4.0]])[0]
    assert rows[0] == [0.0, 0.0]
    assert rows[1] == pytest.approx([0.6, 0.8])
    assert slope(tg.hypot, [0.0], [0.0]) == [[0.0], [0.0]]
    assert slope(lambda x: tg.clip(x, -1, 1), [-1.0, 1.0, 0.5, 2.0, -2.0]) == [[1.0, 1.0, 1.0, 0.0, 0.0]]


@each_device
@pytest.mark.parametrize("name", ["maximum", "minimum"])
def test_ties_of_two_are_halved(name, device):
    tg.set_default_device(device)
    assert slope(getattr(tg, name), [1.0, -2.0], [1.0, -2.0]) == [[0.5, 0.5], [0.5, 0.5]]


@each_device
@pytest.mark.parametrize("name", ["max", "min"])
def test_ties_along_an_axis_are_shared(name, device):
    tg.set_default_device(device)
    assert slope(getattr(tg, name), [2.0, 2.0, 2.0, 2.0]) == [[0.25] * 4]
    rows = slope(lambda x: getattr(tg, name)(x, axis=1), [[1.0, 1.0], [0.0, 0.0]])
    assert rows == [[[0.5, 0.5], [0.5, 0.5]]]


@each_device
def test_products_of_zeros(device):
    tg.set_default_device(device)
    assert slope(tg.prod, [2.0, 0.0, 3.0]) == [[0.0, 6.0, 0.0]]
    assert slope(tg.prod, [0.0, 0.0, 3.0]) == [[0.0, 0.0, 0.0]]
    assert slope(tg.cumulative_prod, [2.0, 0.0, 3.0]) == [[1.0, 8.0, 0.0]]


@each_device
def test_powers_at_zero(device):
    tg.set_default_device(device)
    assert slope(tg.pow, [0.0, 0.0, 2.0], [0.0, 2.0, 0.0]) == [[0.0, 0.0, 0.0], [0.0, 0.0, float(np.log(2.0))]]
    assert slope(lambda x: x**0, [0.0]) == [[0.0]]
    assert slope(lambda x: x**1, [0.0]) == [[1.0]]
    assert slope(lambda x: x**2, [0.0]) == [[0.0]]
    assert slope(tg.sqrt, [0.0]) == [[np.inf]]
    assert slope(tg.xlogy, [0.0], [0.0])[1] == [0.0]
