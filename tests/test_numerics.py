"""What docs/numerics.md says about flags, NaN and gradients, as far as no other test has it."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from math_accuracy import BINARY, DTYPES, FUNCTIONS, bound
from tinygrad_lite_kernels import native

import tinygrad_lite as tg
from tinygrad_lite import nn

DOCUMENT = Path(__file__).parent.parent / "docs" / "numerics.md"
NAN, INF = math.nan, math.inf
EACH_DEVICE = pytest.mark.parametrize("device", ["numpy", "cpu"])


def test_the_table_has_every_function_and_errors_within_the_bounds():
    rows = re.findall(r"^\| (\w+) \| ([\d.]+) \| ([\d.]+) \|$", DOCUMENT.read_text(), re.MULTILINE)
    assert [row[0] for row in rows] == [*FUNCTIONS, *BINARY]
    for name, *measured in rows:
        for dtype, error in zip(DTYPES, measured, strict=True):
            assert bound(name, dtype) - 1 < float(error) <= bound(name, dtype), name


def test_flags_leave_numbers_alone():
    """Reassociation would find the 1 that float32 cannot hold, arcp would make 1 / sqrt(0) NaN, nnan delete isnan."""
    assert sorted(native.FASTMATH) == ["contract", "nsz"]

    @tg.elementwise
    def lost(x):
        return (x + 1.0) - x

    @tg.elementwise
    def is_number(x):
        return tg.scalar.where(x == x, 1.0, 0.0)

    assert lost(tg.full((40,), 1e8)).tolist() == [0.0] * 40
    assert is_number(tg.tensor([NAN, 1.0] * 20)).tolist() == [0.0, 1.0] * 20
    assert tg.rsqrt(tg.tensor([0.0, INF] * 20)).tolist() == [INF, 0.0] * 20


ONE_NAN = [1.0, NAN, 3.0]
VALUES = [
    (lambda x: tg.max(x), NAN),
    (lambda x: tg.min(x), NAN),
    (lambda x: tg.argmax(x), 1),
    (lambda x: tg.argmin(x), 1),
    (lambda x: tg.sort(x), [1.0, 3.0, NAN]),
    (lambda x: tg.sort(x, descending=True), [NAN, 3.0, 1.0]),
    (lambda x: tg.maximum(x, 2.0), [2.0, NAN, 3.0]),
    (lambda x: tg.minimum(2.0, x), [1.0, NAN, 2.0]),
    (lambda x: tg.clip(x, 0.0, 2.0), [1.0, NAN, 2.0]),
    (lambda x: tg.relu(-x), [0.0, NAN, 0.0]),
    (lambda x: tg.sign(x), [1.0, NAN, 1.0]),
    (lambda x: tg.abs(x), [1.0, NAN, 3.0]),
    (lambda x: tg.any(x[1:2]), True),
    (lambda x: tg.all(x), True),
    (lambda x: x == x, [True, False, True]),
    (lambda x: tg.cumulative_sum(x), [1.0, NAN, NAN]),
]


@EACH_DEVICE
@pytest.mark.parametrize("function, wanted", VALUES)
def test_values_with_nan(function, wanted, device):
    np.testing.assert_array_equal(function(tg.tensor(ONE_NAN, device=device)).numpy(), wanted)


@EACH_DEVICE
def test_division_by_zero_and_integers_that_wrap_around(device):
    def of(*values, dtype=None):
        return tg.tensor(values, dtype=dtype, device=device)

    assert (of(5, -5) // of(0, 0)).tolist() == [0, 0]
    assert (of(5, -5) % of(0, 0)).tolist() == [0, 0]
    assert (of(5.0, -5.0) // of(0.0, 0.0)).tolist() == [INF, -INF]
    assert np.isnan((of(5.0) % of(0.0)).numpy()).all()
    assert (of(127, dtype="int8") + of(1, dtype="int8")).tolist() == [-128]
    assert tg.sum(of(127, 1, dtype="int8")).item() == 128
    assert [f(tg.zeros(0, device=device)).item() for f in (tg.sum, tg.prod)] == [0.0, 1.0]
    assert math.isnan(tg.mean(tg.zeros(0, device=device)).item())


def slopes(function, *values):
    tensors = [tg.tensor(v, dtype="float64", requires_grad=True) for v in values]
    function(*tensors).sum().backward()
    return [t.grad.tolist() for t in tensors]


F = nn.functional
SLOPES = [  # those that tests of operations, statistics and activations do not have
    (lambda x: tg.maximum(x, tg.tensor([NAN, 1.0], dtype="float64")), [1.0, NAN], [0.5, 0.5]),
    (lambda x: tg.atan2(x, x), [0.0], [NAN]),
    (lambda x: x**0.5, [0.0], [INF]),
    (lambda x: x % 3.0, [3.0, 4.0], [1.0, 1.0]),
    (lambda x: tg.remainder(7.0, x), [2.0, -2.0], [-3.0, 4.0]),
    (lambda x: tg.floor(x) + tg.sign(x) + x, [0.0, 1.5], [1.0, 1.0]),
    (lambda x: tg.sort(x)[0], [1.0, 1.0], [1.0, 0.0]),
    (lambda x: tg.topk(x, 1)[0], [1.0, 1.0], [1.0, 0.0]),
    (lambda x: x[np.array([0, 0, 1])], [5.0, 6.0], [2.0, 1.0]),
    (lambda x: tg.where(x > 0, tg.log(x), 0.0), [0.0, 2.0], [NAN, 0.5]),
    (lambda x: tg.where(x > 0, tg.log(tg.where(x > 0, x, 1.0)), 0.0), [0.0, 2.0], [0.0, 0.5]),
    (lambda x: F.logsigmoid(x), [-1e308, 1e308], [1.0, 0.0]),
    (lambda x: F.softplus(x), [-1e308, 1e308], [0.0, 1.0]),
    (lambda x: tg.logsumexp(x), [1e308, -1e308, 1e308], [0.5, 0.0, 0.5]),
    (lambda x: F.log_softmax(x, dim=0)[0], [1e308, 0.0], [0.0, 0.0]),
    (lambda x: F.softmax(x, dim=0)[0], [1e308, 0.0], [0.0, 0.0]),
    (lambda x: tg.xlogy(x, 0.0), [0.0, 1.0], [0.0, -INF]),
]


@EACH_DEVICE
@pytest.mark.parametrize("function, at, wanted", SLOPES)
def test_slopes(function, at, wanted, device):
    tg.set_default_device(device)
    np.testing.assert_array_equal(slopes(function, at), [wanted])
