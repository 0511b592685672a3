"""Derivatives inside your own Numba loop: Newton's method from 200,000 starting points, on all cores.

Numba has no automatic differentiation. `scalar.grad` and `scalar.hessian` trace a plain Python function once and give
functions that `@njit` code calls like any other. `python examples/scalar_numba.py` prints where the starts end up:

     -3.7793  -3.2832  minimum     0.000  12.1%
     -3.0730  -0.0814  saddle   104.015    9.3%
     -2.8051   3.1313  minimum     0.000  14.6%
     -0.2708  -0.9230  maximum   181.617   6.3%
     -0.1280  -1.9537  saddle    178.337  13.6%
      0.0867   2.8843  saddle     67.719   8.6%
      3.0000   2.0000  minimum     0.000  15.9%
      3.3852   0.0739  saddle     13.312   4.5%
      3.5844  -1.8481  minimum     0.000  15.1%
"""

import numba
import numpy as np

from tinygrad_lite import scalar


def himmelblau(x, y):
    """A function with four minima, four saddles and a maximum."""
    return (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2


height = scalar.compile(himmelblau)
slope = scalar.grad(himmelblau, argnums=None)  # (df/dx, df/dy)
curvature = scalar.hessian(himmelblau)  # ((fxx, fxy), (fyx, fyy))


@numba.njit(parallel=True)
def newton(starts, steps):
    """Where Newton's method leads from each start: a point without slope."""
    ends = np.empty_like(starts)
    for i in numba.prange(len(starts)):
        x, y = starts[i]
        for _ in range(steps):
            gx, gy = slope(x, y)
            (a, b), (c, d) = curvature(x, y)
            determinant = a * d - b * c
            x, y = x - (d * gx - b * gy) / determinant, y - (a * gy - c * gx) / determinant
        ends[i] = x, y
    return ends


def kind(x, y):
    """What a point without slope is, from the second derivatives there."""
    (a, b), (_, d) = curvature(x, y)
    if a * d - b * b < 0:
        return "saddle"
    return "minimum" if a > 0 else "maximum"


if __name__ == "__main__":
    starts = np.random.default_rng(0).uniform(-5, 5, (200_000, 2))
    ends = newton(starts, 60)
    points, counts = np.unique(ends.round(4) + 0.0, axis=0, return_counts=True)
    for (x, y), count in zip(points, counts, strict=True):
        print(f"{x:8.4f} {y:8.4f}  {kind(x, y):7}  {height(x, y):8.3f}  {count / len(starts):5.1%}")
