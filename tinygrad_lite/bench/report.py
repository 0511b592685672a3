"""Rows as lines of a table for people."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean

from .case import Row
from .families import FAMILIES
from .peaks import Peaks
from .rates import losses_agree, rate, share

UNITS = [(1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (0.0, "ns")]


def head(rows: Sequence[Row]) -> list[str]:
    """The names of the columns: times, our rate and share, and how many times longer the others take."""
    names = columns(rows)
    unit = FAMILIES[rows[0].family]
    return [rows[0].family, *names, *([unit, "of peak"] if unit else []), *(f"{n} x" for n in names[1:])]


def lines(rows: Sequence[Row], peaks: Peaks) -> Iterator[list[str]]:
    """One for each row, then the geometric means of the ratios."""
    names = columns(rows)
    for row in rows:
        ratios = row.ratios()
        work = [_number(rate(row), "{:.1f}"), _number(share(row, peaks), "{:.0%}")] if FAMILIES[row.family] else []
        times = [duration(row.seconds[n]) if n in row.seconds else "-" for n in names]
        yield [row.label, *times, *work, *(_number(ratios.get(n), "{:.2f}") for n in names[1:])]
    blank = [""] * (len(names) + 2 * bool(FAMILIES[rows[0].family]))
    yield ["geometric mean", *blank, *(_number(geometric_mean(rows, n), "{:.2f}") for n in names[1:])]


def columns(rows: Sequence[Row]) -> list[str]:
    """Everyone who appears in a row, in order."""
    return list(dict.fromkeys(name for row in rows for name in row.seconds))


def geometric_mean(rows: Sequence[Row], name: str) -> float:
    """Of how many times longer one takes, over the rows where it appears."""
    return math.exp(fmean(math.log(r.ratios()[name]) for r in rows if name in r.ratios()))


def losses(rows: Sequence[Row]) -> Iterator[str]:
    """A sentence for each row that has some."""
    for row in rows:
        if row.losses:
            told = [f"{name} {first:.5f} to {last:.5f}" for name, (first, last) in row.losses.items()]
            agree = losses_agree(row)
            yield f"{row.label}: losses {'agree: ' + told[0] if agree else 'DIFFER: ' + ', '.join(told)}"


def duration(seconds: float) -> str:
    """With three digits, in the unit that fits.

    >>> duration(0.0000317)
    '31.7 us'
    """
    size, unit = next((s, u) for s, u in UNITS if seconds >= s)
    return f"{seconds / (size or 1e-9):#.3g}".rstrip(".") + f" {unit}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)
