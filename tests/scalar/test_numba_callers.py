"""Derivatives called from code that the user compiles with Numba."""

import math
import subprocess
import sys

import numba
import numpy as np
import pytest

from tinygrad_lite import scalar


def wave(x, y=0.5):
    return scalar.sin(x) * y**2 + scalar.exp(-x * y)


def wave_slopes(x, y):
    e = np.exp(-x * y)
    return np.cos(x) * y**2 - y * e, 2 * y * np.sin(x) - x * e


SLOPE = scalar.grad(wave)
BOTH = scalar.value_and_grad(wave, argnums=None)
XS = np.linspace(-2, 2, 1001)


def test_loops_in_parallel():
    @numba.njit(parallel=True)
    def slopes(a):
        out = np.empty_like(a)
        for i in numba.prange(a.size):
            out[i] = SLOPE(a[i], 0.5)
        return out

    @numba.njit(parallel=True)
    def total(a):
        s = 0.0
        for i in numba.prange(a.size):
            value, (dx, dy) = BOTH(a[i], 0.5)
            s += value + dx - dy
        return s

    dx, dy = wave_slopes(XS, 0.5)
    np.testing.assert_allclose(slopes(XS), dx, rtol=1e-12)
    assert total(XS) == pytest.approx(np.sum(np.sin(XS) * 0.25 + np.exp(-0.5 * XS) + dx - dy), rel=1e-12)


def test_matrices_of_derivatives():
    """Rows can be indexed by a loop: every entry is a float64, constants too."""
    f = lambda x, y: (x * y, x + 2 * y, 7)  # noqa: E731
    jacobian, hessian = scalar.jacobian(f), scalar.hessian(lambda x, y: x * x * y + y)

    @numba.njit
    def filled(x, y):
        rows, second = jacobian(x, y), hessian(x, y)
        out = np.empty((5, 2))
        for j in range(2):
            for i in range(3):
                out[i, j] = rows[i][j]
            for i in range(2):
                out[3 + i, j] = second[i][j]
        return out

    assert filled(2.0, 3.0).tolist() == [[3.0, 2.0], [1.0, 2.0], [0.0, 0.0], [6.0, 4.0], [4.0, 0.0]]


def test_ways_to_call():
    @numba.njit
    def by_name(x):
        return SLOPE(y=0.25, x=x) + SLOPE(x)

    @numba.njit
    def handed_over(slope, x):
        return slope(x, 1)

    @numba.vectorize
    def everywhere(x):
        return SLOPE(x, 0.5)

    dx = lambda x, y: wave_slopes(x, y)[0]  # noqa: E731
    assert by_name(0.7) == pytest.approx(dx(0.7, 0.25) + dx(0.7, 0.5), rel=1e-12)
    assert handed_over(SLOPE, 0.7) == pytest.approx(dx(0.7, 1.0), rel=1e-12)
    assert handed_over(SLOPE, 2) == pytest.approx(dx(2.0, 1.0), rel=1e-12)
    assert handed_over(SLOPE, np.float32(0.5)) == pytest.approx(dx(0.5, 1.0), rel=1e-12)
    np.testing.assert_allclose(everywhere(XS.reshape(7, -1)), dx(XS, 0.5).reshape(7, -1), rtol=1e-12)


def test_edges_inside_compiled_code():
    """As in IEEE arithmetic: no exception, infinities and NaN in their places."""
    slope = scalar.grad(lambda x: scalar.sqrt(x) + 1 / x)

    @numba.njit
    def at(x):
        return slope(x)

    assert math.isnan(at(0.0)) and math.isnan(at(-1.0))
    assert at(math.inf) == 0.0 and math.isnan(at(math.nan))
    assert slope(0.0) != slope(0.0)


def test_wrong_calls_do_not_compile():
    @numba.njit
    def short():
        return SLOPE()

    with pytest.raises(numba.TypingError, match="missing a required argument: 'x'"):
        short()


SCRIPT = """
import numba
from tinygrad_lite import scalar
slope = scalar.grad(lambda x: scalar.sin(x) * x)
@numba.njit(cache=True)
def twice(x):
    return 2 * slope(x)
print(twice(1.5), sum(twice.stats.cache_hits.values()))
"""


def test_callers_can_be_cached_on_disk(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    runs = [subprocess.run([sys.executable, script], capture_output=True, text=True, check=True) for _ in range(2)]
    found = [run.stdout.split() for run in runs]
    assert [hits for _, hits in found] == ["0", "1"]
    for value, _ in found:
        assert float(value) == pytest.approx(2 * (math.cos(1.5) * 1.5 + math.sin(1.5)), rel=1e-12)
