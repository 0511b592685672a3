"""Sums, largest values and their places, over the axes that losses, softmax and bias gradients reduce."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np

from ..devices import Device
from .case import Case, Contestants, Run

Reduction = tuple[str, tuple[int, ...], tuple[int, ...]]
QUICK: list[Reduction] = [("sum", (1000, 1000), (1,)), ("sum", (1000, 1000), (0,)), ("max", (1000, 1000), (1,))]
MORE: list[Reduction] = [
    ("sum", (1000,), (0,)),
    ("sum", (10_000_000,), (0,)),
    ("sum", (128, 10), (0,)),
    ("sum", (128, 512), (0,)),
    ("sum", (4096, 64), (1,)),
    ("sum", (32, 64, 28, 28), (0, 2, 3)),
    ("max", (128, 10), (1,)),
    ("max", (10_000_000,), (0,)),
    ("argmax", (1000, 1000), (1,)),
]
PEERS_NAMES = {"max": "amax"}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each reduction."""
    for reduction in QUICK if quick else QUICK + MORE:
        yield _case(who, *reduction)


def _case(who: Contestants, name: str, shape: tuple[int, ...], axes: tuple[int, ...]) -> Case:
    a = np.random.default_rng(0).standard_normal(shape, np.float32)
    axis = axes[0] if len(axes) == 1 else axes
    places = name == "argmax"

    def ours(device: Device) -> Run:
        kernels = device.reduce
        return partial(kernels.argreduce, name, a, axis) if places else partial(kernels.reduce, name, a, axes)

    peers = PEERS_NAMES.get(name, name)
    runs = who.ours(ours) | who.all(lambda library: library.call(lambda f, x: getattr(f, peers)(x, axis), a))
    return Case(f"{name} of {' x '.join(map(str, shape))} over {axis}", runs, math.prod(shape), a.nbytes)
