"""Matrix products in float32, of squares and of the shapes that a multi-layer perceptron has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from .case import Case, Contestants

Shape = tuple[int, int, int, str]
# M, K, N; "t": this operand is the transpose of a contiguous matrix (x @ weight.T; gradients of weights).
QUICK: list[Shape] = [(64, 64, 64, "nn"), (256, 256, 256, "nn"), (128, 784, 512, "nt"), (784, 128, 512, "tn")]
MORE: list[Shape] = [(n, n, n, "nn") for n in (16, 32, 128, 512, 1024, 2048)]
MORE += [(128, 512, 256, "nt"), (512, 128, 256, "tn"), (128, 256, 10, "nt"), (256, 128, 10, "tn")]
MORE += [(1024, 784, 512, "nn"), (1, 784, 512, "nt"), (8, 784, 512, "nt"), (512, 784, 1, "nn")]


def operands(m: int, k: int, n: int, layout: str) -> list[np.ndarray]:
    """Random matrices of that layout."""
    rng = np.random.default_rng(0)
    order: dict[str, Callable[[np.ndarray], np.ndarray]] = {"n": np.ascontiguousarray, "t": np.asfortranarray}
    shapes = zip(layout, ((m, k), (k, n)), strict=True)
    return [order[letter](rng.standard_normal(shape, np.float32)) for letter, shape in shapes]


def label(m: int, k: int, n: int, layout: str) -> str:
    """As one would write it.

    >>> label(128, 784, 512, "nt")
    '128x784 @ (512x784).T'
    """
    forms = {"n": "{0}x{1}", "t": "({1}x{0}).T"}
    return " @ ".join(forms[letter].format(*shape) for letter, shape in zip(layout, ((m, k), (k, n)), strict=True))


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each shape."""
    for shape in QUICK if quick else QUICK + MORE:
        yield _case(who, *shape)


def _case(who: Contestants, m: int, k: int, n: int, layout: str) -> Case:
    a, b = operands(m, k, n, layout)
    runs = who.ours(lambda device: partial(device.matmul.matmul, a, b))
    runs |= who.all(lambda library: library.call(lambda f, x, y: f.matmul(x, y), a, b))
    return Case(label(m, k, n, layout), runs, 2.0 * m * k * n, 4.0 * (m * k + k * n + m * n))
