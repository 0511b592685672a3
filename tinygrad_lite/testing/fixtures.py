"""The pytest fixture `gradcheck`: put `pytest_plugins = ["tinygrad_lite.testing.fixtures"]` into your `conftest.py`.

It is no automatic plugin, so that pytest starts as fast as before where nobody asked for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .. import gradient_check
from ..tensor import Tensor


@pytest.fixture(name="gradcheck")
def _gradcheck(request: pytest.FixtureRequest) -> Callable[..., None]:
    """A function that checks first and second derivatives of yours, in reverse and forward mode.

    gradcheck(function, *inputs, order=2, low=-2.0, high=2.0, device=None, **options)

    inputs: a tuple of sizes becomes a random float64 tensor of that shape with values from low to high, the same in
    every run of a test; anything else is handed on as it is. order=1 leaves out the second derivatives.
    options: of `tg.gradcheck` and `tg.gradgradcheck` alike (eps, atol, rtol, nondet_tol, fast_mode ...).
    Fails the test with a line that names input, index, analytic and numeric value.

    def test_my_loss(gradcheck):
        gradcheck(my_loss, (4, 3), (4,))
    """
    random = np.random.default_rng(zlib.crc32(request.node.nodeid.encode()))

    def check(
        function: Callable[..., Any], *inputs: Any, order: int = 2, low: float = -2.0, high: float = 2.0,
        device: Any = None, **options: Any,
    ) -> None:  # fmt: skip
        __tracebackhide__ = True
        points = [_random(random.uniform(low, high, x), device) if _is_shape(x) else x for x in inputs]
        try:
            gradient_check.gradcheck(function, points, **options)
            if order > 1:
                gradient_check.gradgradcheck(function, points, **options)
        except gradient_check.GradcheckError as error:
            raise gradient_check.GradcheckError(str(error)) from None  # the failing line is the caller's

    return check


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(n, int) for n in x)


def _random(values: Any, device: Any) -> Tensor:
    return Tensor(values, "float64", device, requires_grad=True)
