"""Tables: by rich where it is installed, in plain text elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Sequence

WIDTH = 200  # of a line where no terminal says otherwise


def print_table(title: str, head: Sequence[str], lines: Sequence[Sequence[str]], alarm: str = "WRONG") -> None:
    """The first column to the left. A line that ends in the word of alarm is red."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print(plain(title, [head, *lines]))
        return
    table = Table(title=title or None)
    for i, name in enumerate(head):
        table.add_column(name, justify="right" if i else "left", no_wrap=not i, overflow="fold")
    for line in lines:
        table.add_row(*line, style="bold red" if line[-1] == alarm else None)
    Console(markup=False, width=None if sys.stdout.isatty() else WIDTH).print(table)


def plain(title: str, lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rows = (f"{line[0]:<{widths[0]}}" + _right(line[1:], widths[1:]) for line in lines)
    return "\n".join([title, *(row.rstrip() for row in rows)])


def _right(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "".join(f"  {cell:>{width}}" for cell, width in zip(cells, widths, strict=True))
