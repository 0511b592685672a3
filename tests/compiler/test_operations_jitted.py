"""Every operation of the table inside a jitted function: values and gradients are those of the eager run."""

import numpy as np
import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing.samples import OPERATIONS

ALL = list(OPERATIONS.values())
each_device = pytest.mark.parametrize("device", ["numpy", "cpu"])
each_operation = pytest.mark.parametrize("operation", ALL, ids=[o.name for o in ALL])


def with_gradients(operation, case):
    """The result, and the gradients of its sum of squares where it has some."""

    def function(*inputs):
        tensors = [x * 1 if x.requires_grad else x for x in inputs]
        y = operation.call(*tensors, **case.params)
        wanted = [x for x in inputs if x.requires_grad]
        if not y.requires_grad:
            return y, ()
        return y, tg.autograd.grad((y * y).sum(), wanted, allow_unused=True)

    return function


@each_device
@each_operation
def test_jitted_is_eager(operation, device):
    for case in operation.cases[:2]:
        function = with_gradients(operation, case)
        jitted = tg.jit(function)
        kind = "float64" if "f" in operation.dtypes else "int64" if "i" in operation.dtypes else "bool"
        first = operation.tensors(case, device, kind)
        second = [
            tg.Tensor(np.flip(t.detach().numpy()).copy(), device=device, requires_grad=t.requires_grad) for t in first
        ]
        for tensors in (first, second):
            y, gradients = function(*tensors)
            y2, gradients2 = jitted(*tensors)
            same(y2, y)
            for g2, g in zip(gradients2, gradients, strict=True):
                assert (g2 is None) == (g is None)
                if g is not None:
                    same(g2, g)
        assert jitted.traces == 1


def same(found, wanted):
    """Equal to rounding: fusing may contract a multiplication and an addition."""
    a, b = found.detach().numpy(), wanted.detach().numpy()
    assert (a.shape, a.dtype, found.device) == (b.shape, b.dtype, wanted.device)
    if a.dtype.kind == "f":
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    else:
        np.testing.assert_array_equal(a, b)
