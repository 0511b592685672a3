"""What an operation costs when there is nothing to compute: four numbers, recorded or not for the backward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from ..devices import Device
from .case import Case, Contestants, Run
from .libraries import Library

VALUES = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
Rule = Callable[[Any, Any, Any], Any]  # takes a library's functions and two of its 2 x 2 arrays
QUICK: dict[str, Rule] = {
    "x + y": lambda f, x, y: x + y,
    "exp(x)": lambda f, x, y: f.exp(x),
    "x @ y": lambda f, x, y: x @ y,
    "sum(x)": lambda f, x, y: f.sum(x),
}
MORE: dict[str, Rule] = {
    "x * 2": lambda f, x, y: x * 2.0,
    "reshape(x)": lambda f, x, y: x.reshape(4),
    "x.T": lambda f, x, y: x.T,
    "x[0]": lambda f, x, y: x[0],
}


def cases(who: Contestants, quick: bool) -> Iterator[Case]:
    """One for each operation, in each of the two ways."""
    for name, rule in (QUICK if quick else QUICK | MORE).items():
        runs = who.ours(partial(_ours, rule, False)) | who.all(partial(_peer, rule))
        yield Case(name, runs)
        runs = who.ours(partial(_ours, rule, True)) | who.peers({"torch": partial(_torch, rule)})
        yield Case(f"{name}, recorded", runs)


def _ours(rule: Rule, recorded: bool, device: Device) -> Run:
    import tinygrad_lite as tg

    return partial(rule, tg, *(tg.tensor(VALUES, requires_grad=recorded, device=device) for _ in range(2)))


def _peer(rule: Rule, library: Library) -> Run:
    return partial(rule, library.functions, library.array(VALUES), library.array(VALUES))


def _torch(rule: Rule, library: Library) -> Run:
    torch = library.module
    return partial(rule, torch, *(torch.tensor(VALUES, requires_grad=True) for _ in range(2)))
