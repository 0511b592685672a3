"""What the benchmarks share: a clean environment, functions timed in turns, lines of a table.

A time alone is no result on a shared machine; the ratio of two that were taken in turns in one run is.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np

from tinygrad_lite import machine as facts
from tinygrad_lite.bench.environment import start_clean

Run = Callable[[], Any]
Clock = Callable[[], float]
clean_environment = start_clean


def machine(*packages: str) -> str:
    """A line for the record: day, processor, Python and the versions of the packages that are installed."""
    found = [f"{p} {version}" for p in ("numpy", "numba", *packages) if (version := facts.version(p))]
    cores = f"{facts.processor()} ({facts.cores()} cores)"
    return ", ".join([date.today().isoformat(), cores, f"Python {facts.python()}", *found])


def peer(name: str) -> Any:
    """A package to compare with, or None where it is not installed. torch is told to use one thread."""
    if not importlib.util.find_spec(name):
        return None
    module = importlib.import_module(name)
    if name == "torch":
        module.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return module


def medians(
    runs: Sequence[Run | None], rounds: int = 15, round_seconds: float = 2e-3, clock: Clock = time.perf_counter
) -> list[float]:
    """The median seconds of one call of each function: taken in turns, after two calls that do not count.

    NaN for None, which stands for what a peer cannot do. clock: time.process_time does not count what others do.
    """
    for first in filter(None, runs):
        first()
    calls = [max(1, int(round_seconds / _seconds(run, 1, clock))) if run else 0 for run in runs]
    kept: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, count, times in zip(runs, calls, kept, strict=True):
            times.append(_seconds(run, count, clock) if run else np.nan)
    return [float(np.median(times)) for times in kept]


def _seconds(run: Run, calls: int, clock: Clock) -> float:
    start = clock()
    for _ in range(calls):
        run()
    return (clock() - start) / calls


class Table:
    """Lines of times, rates and ratios: the first function is ours, each ratio says how much longer another takes.

    unit: of the rate, such as "GB/s"; the work of a line is then given in bytes (or floating-point operations).
    """

    def __init__(self, names: Sequence[str], unit: str = "", width: int = 36):
        self.unit, self.width = unit, width
        self.ratios: list[list[float]] = []
        self.labels: list[str] = []
        rates = [f"{unit:>8}" for _ in names] if unit else []
        shares = [f"{'/ ours':>8}" for _ in names[1:]]
        print(f"{'us':>{width}}", *(f"{n:>10}" for n in names), *rates, *shares)

    def line(self, label: str, times: Sequence[float], work: float = 0.0) -> None:
        """Print one line and remember its ratios."""
        ratios = [t / times[0] for t in times[1:]]
        self.ratios.append(ratios)
        self.labels.append(label)
        rates = [f"{work / t / 1e9:8.1f}" for t in times] if self.unit else []
        print(f"{label:>{self.width}}", *(f"{t * 1e6:10.2f}" for t in times), *rates, *(f"{r:8.2f}" for r in ratios))

    def end(self) -> None:
        """Print the geometric means of the ratios, and where each is smallest."""
        if self.ratios:
            means = np.exp(np.nanmean(np.log(self.ratios), axis=0))
            print("geometric means of the ratios:", ", ".join(f"{m:.2f}" for m in means))
            worst = [int(np.nanargmin(column)) for column in np.transpose(self.ratios) if not np.isnan(column).all()]
            print("smallest ratios:", ", ".join(f"{min(self.ratios[i]):.2f} ({self.labels[i]})" for i in worst))
