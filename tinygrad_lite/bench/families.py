"""The families of benchmarks, and how each is run."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from typing import Any

from tinygrad_lite_kernels.threads import get_num_threads

from .case import Case, Contestants, Row
from .timing import QUICK, Effort, medians

# What the rate of a family is told in. Starting and dispatching have none: there is nothing to compute.
FAMILIES = {
    "matmul": "GFLOP/s",
    "elementwise": "GB/s",
    "gradient": "GB/s",
    "reduce": "GB/s",
    "optim": "GB/s",
    "step": "GFLOP/s",
    "dispatch": "",
    "start": "",
}


REST = 0.02  # of several threads


def run(family: str, who: Contestants, quick: bool) -> Iterator[Row]:
    """Time the cases of a family, one after the other."""
    cases = importlib.import_module(f".{family}", __package__).cases(who, quick)
    effort = (QUICK if quick else Effort())._replace(rest=REST if get_num_threads() > 1 else 0.0)
    return (timed(family, case, effort) for case in cases)


def timed(family: str, case: Case, effort: Effort) -> Row:
    """The losses come first: from then on, each takes as many steps as its time allows."""
    losses = {name: _losses([run() for _ in range(case.losses)]) for name, run in case.runs.items() if case.losses}
    return Row(family, case.label, case.flops, case.bytes, medians(case.runs, effort, case.warm), losses)


def _losses(found: Sequence[Any]) -> tuple[float, float]:
    return float(found[0].item()), float(found[-1].item())
