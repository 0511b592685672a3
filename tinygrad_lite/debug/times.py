"""How long each kernel of a plan takes, and how close that is to what the machine can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any, NamedTuple

import numpy as np
from tinygrad_lite_kernels import threads
from tinygrad_lite_kernels.cpu.plan import launch as plan_launch

from ..bench.peaks import Peaks, measure
from ..bench.report import duration
from ..bench.timing import Effort, medians
from ..table import plain, print_table
from .lookup import Call
from .private import Private
from .report import Kernel, Report

EFFORT = Effort(rounds=9, round_seconds=5e-4, most_seconds=8.0)
TIMES = 64  # that a small kernel runs in one native call
HEAD = ["kernel", "kind", "time", "share", "GFLOP/s", "GB/s", "of peak"]


class Timed(NamedTuple):
    """A kernel and its seconds."""

    kernel: Kernel
    seconds: float

    @property
    def flops(self) -> float:
        """Floating-point operations a second."""
        return self.kernel.flops / self.seconds

    @property
    def bandwidth(self) -> float:
        """Bytes a second."""
        return self.kernel.bytes / self.seconds

    def share(self, peaks: Peaks) -> float:
        """Of what the machine can do at most, in that which limits the kernel; over 1 where data stay in a cache."""
        return max(self.flops / peaks.flops, self.bandwidth / peaks.bandwidth)


class Profile:
    """kernels: each with its seconds. seconds: of the whole plan, run at once. peaks: of this machine."""

    def __init__(self, title: str, kernels: list[Timed], seconds: float, peaks: Peaks):
        self.kernels, self.seconds, self.peaks = kernels, seconds, peaks
        at_most = f"peaks {peaks.flops / 1e9:.0f} GFLOP/s, {peaks.bandwidth / 1e9:.1f} GB/s"
        self.title = f"{title}: {duration(seconds)} at once; {at_most}"

    def _rows(self) -> Iterator[list[str]]:
        total = sum(t.seconds for t in self.kernels)
        for t in self.kernels:
            rates = [f"{rate / 1e9:.1f}" for rate in (t.flops, t.bandwidth)]
            shares = [f"{part:.0%}" for part in (t.seconds / total, t.share(self.peaks))]
            yield [t.kernel.label, t.kernel.kind, duration(t.seconds), shares[0], *rates, shares[1]]

    def show(self) -> None:
        """Print the table, by rich where it is installed."""
        print_table(self.title, HEAD, list(self._rows()))

    def __str__(self) -> str:
        return plain(self.title, [HEAD, *self._rows()])


def profile(jitted: Any, *args: Any, **options: Any) -> Profile:
    """Time every kernel of a call of a jitted function by itself, again and again, on copies of all it takes.

    A kernel by itself finds its data in cache if they fit there. The first call measures the machine's peaks, which
    takes a second or two.

    >>> import tinygrad_lite as tg
    >>> found = tg.debug.profile(tg.jit(lambda a, b: tg.exp(a @ b)), tg.ones((64, 64)), tg.ones((64, 64)))
    >>> [t.kernel.kind for t in found.kernels], found.kernels[0].seconds > 0
    (['matmul_then'], True)
    """
    call = Call("profile", jitted, args, options)
    compiled = call.compiled()
    title = getattr(call.jitted, "__name__", "jitted function")
    report, private = Report(title, compiled), Private(call, compiled, "rows")
    parts = [numbers for _, numbers in private.steps()]
    runs = {str(number): _run(private, number) for numbers in parts for number in numbers}
    whole = {"all": partial(private.plan.run, private.outside)}
    found = medians(whole | {name: run for name, (run, _) in runs.items()}, EFFORT)
    each = [sum(found[str(n)] / runs[str(n)][1] for n in numbers) for numbers in parts]
    timed = [Timed(k, max(s, 1e-9)) for k, s in zip(report.kernels, each, strict=True)]
    return Profile(title, timed, found["all"], peaks(threads.get_num_threads()))


peaks = cache(measure)  # by number of threads


def _run(private: Private, number: int) -> tuple[Callable[[], Any], int]:
    """What runs a step of the plan's table, and how many times that does so."""
    table = private.plan.table
    run = table.todo[number].run
    if isinstance(run, threads.Launch) and not run.is_large:
        rows = np.repeat(table.rows[number : number + 1], TIMES, 0)
        return partial(plan_launch(TIMES, (), False, False).run, rows), TIMES
    items = table.items(number, number + 1)
    return (lambda: [item(private.outside) for item in items]), 1
