"""How far the vectorised functions are from the exact result, in units in the last place (ulp).

`python benchmarks/math_accuracy.py [--samples 1000000]` prints the table of docs/numerics.md: the largest error of each
function in float32 and float64 against `np.longdouble`, and the argument that has it. tests/kernels/test_math.py
asserts the bounds below.

One ulp is the distance between the two numbers of the dtype around the exact result. A result that should have been
infinite, or should not, counts as if infinity were the power of two that follows the largest number.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

WIDE: Any = np.longdouble
DTYPES = (np.dtype(np.float32), np.dtype(np.float64))
# Where long double is no wider than float64, the reference itself is off by about this much.
SLACK = 0.0 if np.finfo(WIDE).nmant > 60 else 1.0


def erf(x: np.ndarray) -> np.ndarray:
    """Below 1: 2 / sqrt(pi) exp(-x**2) times the sum of 2**n x**(2 n + 1) / (2 n + 1)!!, whose terms are positive."""
    small = np.clip(x, -1, 1)
    term = total = small
    for n in range(1, 40):
        term = term * (2 * small * small / (2 * n + 1))
        total = total + term
    near = 2 / SQRT_PI * np.exp(-small * small) * total
    return np.where(np.abs(x) < 1, near, np.copysign(1 - erfc_above_1(np.abs(x)), x))


def erfc(x: np.ndarray) -> np.ndarray:
    """The complement, from whichever of the two does not cancel."""
    return np.where(x < 1, 1 - erf(x), erfc_above_1(x))


def erfc_above_1(x: np.ndarray) -> np.ndarray:
    """exp(-x**2) / sqrt(pi) / (x + (1/2) / (x + 1 / (x + (3/2) / (x + ...))))."""
    x = np.clip(x, 1, 200)
    fraction = x
    for k in range(300, 0, -1):
        fraction = x + (k / WIDE(2)) / fraction
    head = x.astype(np.float32).astype(WIDE)  # its square is exact, and so is x - head
    return np.exp(-head * head) * np.exp(-(x - head) * (x + head)) / (SQRT_PI * fraction)


SQRT_PI = WIDE("1.77245385090551602729816748334114518279754945612238712821381")


class Function(NamedTuple):
    """A function: its reference on long doubles, and the largest errors allowed in float32 and float64.

    Where to look closer: within an interval, and at points where it is zero, steep, or changes its formula.
    """

    exact: Callable[..., Any]
    bounds: tuple[float, float]
    within: tuple[float, float] = (-20.0, 20.0)
    points: Sequence[float] = ()


_turns = [n * np.pi / 2 for n in range(1, 400)]
_exp = [88.72284, 87.33655, 103.97208, 709.782712893384, 708.3964185322641, 745.1332191019411]
_exp += [n * np.log(2) / 2 for n in range(1, 21)]
_unit = [0.5, 0.75, 1.0]
_log = [2.0**n for n in range(-20, 20)] + [2.0**n * 0.5**0.5 for n in range(-3, 4)]

FUNCTIONS: dict[str, Function] = {
    "exp": Function(np.exp, (1.25, 1.25), (-750, 720), _exp),
    "expm1": Function(np.expm1, (1.5, 2), (-50, 720), _exp),
    "log": Function(np.log, (1.5, 1), (0, 8), _log),
    "log2": Function(np.log2, (1.75, 1.25), (0, 8), _log),
    "log10": Function(np.log10, (1.5, 1), (0, 8), _log),
    "log1p": Function(np.log1p, (1.75, 1.5), (-1, 8), [1 - 0.5**0.5, *_log]),
    "sin": Function(np.sin, (1.75, 1), (-800, 800), _turns),
    "cos": Function(np.cos, (1.75, 1), (-800, 800), _turns),
    "tan": Function(np.tan, (3.25, 2.5), (-800, 800), _turns),
    "asin": Function(np.arcsin, (0.51, 2.25), (-1, 1), _unit),
    "acos": Function(np.arccos, (0.51, 2.75), (-1, 1), _unit),
    "atan": Function(np.arctan, (0.51, 1.75), (-20, 20), _unit),
    "sinh": Function(np.sinh, (2.5, 2.75), (-720, 720), [*_exp, 89.41599, 710.4758600739439]),
    "cosh": Function(np.cosh, (2.75, 2.5), (-720, 720), [*_exp, 89.41599, 710.4758600739439]),
    "tanh": Function(np.tanh, (2.75, 2.75), (-25, 25), _exp),
    "asinh": Function(np.arcsinh, (0.51, 2), (-20, 20), [1.0, 2.0**28]),
    "acosh": Function(np.arccosh, (0.51, 2), (1, 20), [1.0, 2.0**28]),
    "atanh": Function(np.arctanh, (0.51, 2), (-1, 1), _unit),
    "erf": Function(erf, (1.25, 1.25), (-7, 7), [1.0, 4.0]),
    "erfc": Function(erfc, (4.75, 5.5), (-7, 28), [1.0, 4.0]),
    "sigmoid": Function(lambda x: 1 / (1 + np.exp(-x)), (2.5, 2.5), (-750, 50), _exp),
    "sqrt": Function(np.sqrt, (0.501, 0.501), (0, 4), _unit),
    "rsqrt": Function(lambda x: 1 / np.sqrt(x), (1.501, 1.501), (0, 4), _unit),
}
BINARY: dict[str, Function] = {
    "pow": Function(np.power, (0.6, 1.25), (-1000, 1000), [0.5, 2.0, 3.0]),
    "atan2": Function(np.arctan2, (0.51, 1.75)),
    "hypot": Function(np.hypot, (0.51, 2.25)),
}


def neighbours(points: Sequence[float], dtype: np.dtype, count: int) -> np.ndarray:
    """Zero and the points of both signs, each with the numbers next to it: `count` on either side."""
    near = np.abs(np.array([0.0, *points], dtype))
    integer = f"i{dtype.itemsize}"
    bits = (near.view(integer)[:, None] + np.arange(-count, count + 1)).ravel()
    sizes = bits[bits >= 0].astype(integer).view(dtype)
    return np.concatenate([sizes, -sizes])


def of_every_size(count: int, dtype: np.dtype, rng: np.random.Generator) -> np.ndarray:
    """One number from each of `count` equal parts of all bit patterns: subnormal to infinite, both signs, NaN."""
    kind = np.dtype(f"u{dtype.itemsize}")
    step = (2 ** (8 * dtype.itemsize)) // count
    patterns = np.arange(count, dtype=np.uint64) * np.uint64(step) + rng.integers(0, step, count, np.uint64)
    return patterns.astype(kind).view(dtype)


def special(dtype: np.dtype) -> np.ndarray:
    of: Any = np.finfo(dtype)
    sizes = [0.0, np.inf, np.nan, of.max, of.tiny, of.smallest_subnormal, 1.0, of.eps, 0.5, 2.0, 3.0, 1e3]
    return np.array([*sizes, *np.negative(sizes)], dtype)


def samples(function: Function, dtype: np.dtype, count: int, rng: np.random.Generator) -> np.ndarray:
    """Arguments of a function of one number."""
    low, high = function.within
    subnormal = rng.uniform(-1, 1, count // 10) * np.finfo(dtype).tiny
    parts = [of_every_size(count, dtype, rng), rng.uniform(low, high, count), rng.uniform(-2, 2, count // 2), subnormal]
    few = max(3, 4000 // (1 + len(function.points)))
    return np.concatenate([*(p.astype(dtype) for p in parts), neighbours(function.points, dtype, few), special(dtype)])


def pairs(name: str, dtype: np.dtype, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Arguments of a function of two numbers: of every size, of about the same size, and all pairs of special ones."""
    a, b = of_every_size(count, dtype, rng), rng.permutation(of_every_size(count, dtype, rng))
    positive = np.exp(rng.uniform(-50, 50, count) * rng.random(count) ** 3)
    if name == "pow":  # powers that are neither zero nor infinite
        second = rng.uniform(-1100, 1100, count) / np.log2(positive)
        near = positive, second * (1 if dtype.itemsize == 8 else 0.13)
    else:
        near = (
            positive * rng.choice([-1, 1], count),
            positive * rng.normal(size=count) * 2.0 ** rng.integers(-9, 9, count),
        )
    grid = np.meshgrid(special(dtype), special(dtype))
    return tuple(np.concatenate([x, y.astype(dtype), z.ravel()]) for x, y, z in zip((a, b), near, grid, strict=True))


def errors(got: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """The error of each result in ulp; infinite where NaN or the sign of a zero is not what it should be."""
    of: Any = np.finfo(got.dtype)
    top = WIDE(2) ** of.maxexp
    size = np.abs(exact).clip(of.smallest_subnormal, of.max).astype(got.dtype)
    wide = got.astype(WIDE)
    error = np.abs(wide.clip(-top, top) - exact.clip(-top, top)) / np.spacing(size).astype(WIDE)
    both, either = np.isnan(exact) & np.isnan(got), np.isnan(exact) | np.isnan(got)
    sign = (exact == 0) & (got == 0) & (np.signbit(exact) != np.signbit(got))
    return np.where(either, np.where(both, 0, np.inf), np.where(sign, np.inf, error)).astype(np.float64)


class Result(NamedTuple):
    """The largest error of a function in one dtype, the arguments that have it, and how many were tried."""

    error: float
    arguments: tuple[float, ...]
    count: int


def largest_error(name: str, dtype: np.dtype, count: int = 100_000, seed: int = 0) -> Result:
    """The largest error of a compiled function over about three times `count` samples."""
    from tinygrad_lite_kernels.cpu.elementwise import elementwise
    from tinygrad_lite_kernels.expr import functions, inputs, program

    rng = np.random.default_rng(seed)
    unary = name in FUNCTIONS
    function = FUNCTIONS[name] if unary else BINARY[name]
    with np.errstate(all="ignore"):
        arguments = (samples(function, dtype, count, rng),) if unary else pairs(name, dtype, count, rng)
        run = elementwise(program([functions[name](*inputs(len(arguments)))], len(arguments)))
        found = errors(run.one(*arguments), function.exact(*(a.astype(WIDE) for a in arguments)))
    worst = int(np.argmax(found))
    return Result(float(found[worst]), tuple(float(a[worst]) for a in arguments), found.size)


def bound(name: str, dtype: np.dtype) -> float:
    """The largest error that a function may have, in ulp."""
    return (FUNCTIONS.get(name) or BINARY[name]).bounds[DTYPES.index(dtype)] + SLACK * (dtype.itemsize == 8)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000)
    args = parser.parse_args()
    print("| function | float32 | at | float64 | at |\n|---|---|---|---|---|")
    for name in [*FUNCTIONS, *BINARY]:
        cells = [name]
        for dtype in DTYPES:
            result = largest_error(name, dtype, args.samples)
            cells += [f"{result.error:.2f}", ", ".join(f"{a:.9g}" for a in result.arguments)]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
