"""Operations made for these tests, right and wrong in ways that are chosen."""

import numpy as np

import tinygrad_lite as tg


def operation(forward, backward, name="Made"):
    """The function of one tensor with these values, and backward(x, g) as its gradient."""

    class Made(tg.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return forward(x)

        @staticmethod
        def backward(ctx, *gradients):
            return backward(ctx.saved_tensors[0], *gradients)

    Made.__name__ = name
    return Made.apply


def cube(slope):
    """x**3, with slope(x, g) in place of its gradient 3 * x**2 * g."""
    return operation(lambda x: x * x * x, slope, "Cube")


def right(x, g):
    return 3 * x * x * g


def leaf(*shape, seed=0, device=None):
    """Random values between 1 and 2."""
    values = np.random.default_rng(seed).uniform(1, 2, shape)
    return tg.Tensor(values, device=device, requires_grad=True)
