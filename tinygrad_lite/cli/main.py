"""Which command was asked for, and what happens when it goes wrong.

Exit codes: 0 done, 1 a check failed, 2 something about the input (one sentence on stderr), 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from ..errors import UserError

COMMANDS = {
    "train": "train a network on `digits`, a CSV file or an NPZ file",
    "predict": "use a trained model on a CSV or NPZ file",
    "gradcheck": "check the derivatives of all operations, or of your own function",
    "bench": "time kernels and training steps beside NumPy, torch and jax",
    "info": "versions, processor, threads, kernel cache, devices",
}


class _Parser(argparse.ArgumentParser):
    """Errors in options are one sentence as well."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise UserError(f"{message} (see {self.prog} --help)")


def _parser(command: str | None) -> argparse.ArgumentParser:
    """Only the command that was asked for is imported."""
    parser = _Parser(prog="tinygrad-lite", description="An autograd engine with a compiled hot path.")
    chosen = parser.add_subparsers(dest="command", metavar="command", parser_class=_Parser)
    for name, text in COMMANDS.items():
        sub = chosen.add_parser(name, help=text, description=text.capitalize() + ".")
        if name == command:
            _module(name).add_arguments(sub)
    return parser


def _module(name: str) -> Any:
    return importlib.import_module(f"{__package__}.{name}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    command = next((a for a in given if a in COMMANDS), None)
    parser = _parser(command)
    try:
        args = parser.parse_args(given)
        if args.command is None:
            parser.print_help()
            return 2
        args.as_program = arguments is None  # and not a call within somebody's process
        return _module(args.command).run(args)
    except UserError as error:
        print(f"tinygrad-lite: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("tinygrad-lite: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
