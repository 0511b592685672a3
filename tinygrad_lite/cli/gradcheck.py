"""`tinygrad-lite gradcheck`: are the derivatives right, of the library's operations or of your own function?"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ..devices import set_default_device
from ..errors import UserError
from ..table import print_table
from .options import natural
from .user_function import imported, inputs

EPILOG = """examples:
  tinygrad-lite gradcheck --device numpy               every operation, on the reference kernels
  tinygrad-lite gradcheck --op softmax --op matmul     only these
  tinygrad-lite gradcheck mymodule:loss --inputs 3x4,4
"""
HEAD = ("", "first order", "second order", "")


class Row(NamedTuple):
    """One line of the result. Errors are |analytic - numeric| / max(1, |numeric|); None where nothing was checked."""

    name: str
    first: float | None
    second: float | None
    problems: list[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to check, and how."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("function", nargs="?", help="your own function as module:name, found from the current directory")
    add("--inputs", metavar="SHAPES", help='of its inputs, like "3x4,4" ("-": a single number; default 2x3 for each)')
    add("--between", nargs=2, type=float, metavar=("LOW", "HIGH"), help="where their values lie (default -2 2)")
    add("--seed", type=natural, default=0, help="of these random values (default 0)")
    add("--order", type=int, choices=(1, 2), default=2, help="up to which order to check (default 2)")
    add("--device", choices=("cpu", "numpy"), default="cpu", help="whose kernels run (default cpu)")
    add("--op", action="append", metavar="NAME", help="only operations with this in their name; can be repeated")
    add("--fast", action="store_true", help="one case each, and random projections instead of whole Jacobians")


def run(args: argparse.Namespace) -> int:
    """Check, print a table, and return 1 where something is wrong."""
    set_default_device(args.device)
    rows = [_own(args)] if args.function else _operations(args)
    _print(rows)
    wrong = [r for r in rows if r.problems]
    for row in wrong:
        print("\n".join(row.problems))
    print(f"{len(rows) - len(wrong)} of {len(rows)} passed on device {args.device}.")
    return 1 if wrong else 0


# ---- the library's operations ----


def _operations(args: argparse.Namespace) -> list[Row]:
    if args.inputs or args.between:
        raise UserError("--inputs and --between are for your own function; name it as module:function")
    return [*(_row(o, args) for o in _progress(_selected(args.op))), *([] if args.op else _unchecked())]


def _selected(names: Sequence[str] | None) -> list[Any]:
    from ..testing.samples import OPERATIONS

    differentiable = [o for o in OPERATIONS.values() if o.order]
    for name in names or ():
        if not any(name in o.name for o in differentiable):
            near = difflib.get_close_matches(name, [o.name for o in differentiable], 3, 0.5)
            hint = f"; similar: {', '.join(near)}" if near else ""
            raise UserError(f"--op {name}: no differentiable operation has this in its name{hint}")
    return [o for o in differentiable if not names or any(n in o.name for n in names)]


def _unchecked() -> list[Row]:
    from ..testing.samples import unlisted

    return [Row(n, None, None, [f"{n}: is registered, but has no entry in testing/samples.py"]) for n in unlisted()]


def _row(operation: Any, args: argparse.Namespace) -> Row:
    from ..testing.check import first_order, second_order

    cases = operation.cases[: 1 if args.fast else None]
    twice = min(operation.order, args.order) > 1

    def checks(check: Callable[..., Any]) -> Callable[[], list[Any]]:
        return lambda: [check(operation, case, args.device, args.fast) for case in cases]

    return _checked(operation.name, checks(first_order), checks(second_order) if twice else None)


def _checked(name: str, first: Callable[[], list[Any]], second: Callable[[], list[Any]] | None) -> Row:
    """Run the checks of both orders. An error that they raise is something wrong as well."""
    found: list[list[Any]] = [[], []]
    try:
        found[0] = first()
        found[1] = second() if second else []
    except Exception as error:
        problem = f"{name}: {type(error).__name__}: {error}"
        return Row(name, _largest(found[0]), None, [*_problems(found[0]), problem])
    return Row(name, _largest(found[0]), _largest(found[1]), _problems([*found[0], *found[1]]))


def _largest(reports: Iterable[Any]) -> float | None:
    return max((r.error for r in reports), default=None)


def _problems(reports: Iterable[Any]) -> list[str]:
    return [p for r in reports for p in r.problems]


# ---- the user's function ----


def _own(args: argparse.Namespace) -> Row:
    from ..gradient_check import examine, examine_second
    from ..gradient_check.checks import Settings
    from ..gradient_check.problem import Problem

    if args.op:
        raise UserError("--op is for the library's own operations; leave it out to check your function")
    function = imported(args.function)
    points = inputs(function, args)
    try:
        Problem(function, points)
    except Exception as error:
        shapes = ", ".join(str(x.shape) for x in points)
        text = f"{args.function}, called with inputs of shapes {shapes}: {type(error).__name__}: {error}"
        raise UserError(text) from None
    twice = Settings(fast=args.fast, forward=False, prefix="second order, ")
    return _checked(
        args.function,
        lambda: [examine(function, points, Settings(fast=args.fast))],
        (lambda: [examine_second(function, points, twice)]) if args.order > 1 else None,
    )


# ---- printing ----


def _progress(operations: Sequence[Any]) -> Iterable[Any]:
    """The operations, with a bar on a terminal while they are checked."""
    try:
        from rich.progress import track
    except ImportError:
        return operations
    return track(operations, "checking", transient=True, disable=not sys.stdout.isatty())


def _print(rows: Sequence[Row]) -> None:
    lines = [(r.name, _error(r.first), _error(r.second), "WRONG" if r.problems else "ok") for r in rows]
    print_table("largest |analytic - numeric| / max(1, |numeric|)", HEAD, lines)


def _error(value: float | None) -> str:
    return "-" if value is None else f"{value:.1e}"
