"""Functions timed in turns: a time alone is no result on a shared machine, the ratio of two from one run is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, NamedTuple

Run = Callable[[], Any]


class Effort(NamedTuple):
    """How long to look: rounds, the least seconds of each function in a round, and the most seconds for all of them.

    rest: seconds before each turn. Threads of the one before may spin for a while, on a core that the next one needs.
    """

    rounds: int = 15
    round_seconds: float = 2e-3
    most_seconds: float = 4.0
    rest: float = 0.0


QUICK = Effort(5, 1e-3, 0.4)


def medians(runs: Mapping[str, Run], effort: Effort = Effort(), warm: bool = True) -> dict[str, float]:  # noqa: B008
    """The median seconds of one call of each function, after calls that do not count."""
    calls = {name: _calls(run, effort) if warm else 1 for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    start = time.perf_counter()
    for _ in range(effort.rounds):
        for name, run in runs.items():
            if effort.rest:
                time.sleep(effort.rest)
                run()
            times[name].append(seconds(run, calls[name]))
        if time.perf_counter() - start > effort.most_seconds:
            break
    return {name: median(found) for name, found in times.items()}


def _calls(run: Run, effort: Effort) -> int:
    """How many fill a round. The first may compile, and any may wait for a processor."""
    return max(1, int(effort.round_seconds / min(seconds(run) for _ in range(4))))


def seconds(run: Run, calls: int = 1) -> float:
    """Of one call."""
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return max(time.perf_counter() - start, 1e-9) / calls
