"""A function of the user's, named as module:name on the command line, and random inputs for it."""

from __future__ import annotations

import argparse
import difflib
import importlib
import inspect
import os
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import UserError

REQUIRED = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def imported(text: str) -> Callable[..., Any]:
    """The function that `module:name` means; `module:Name.apply` is that of a tg.Function."""
    module_name, _, name = text.partition(":")
    if not (module_name and name):
        raise UserError(f"the function must be given as module:name, got {text!r}")
    found, known = _module(module_name), module_name
    for part in name.split("."):
        found, known = _member(found, part, known), f"{known}.{part}"
    if isinstance(found, type):
        raise UserError(f"{text} is a class; name a function, or {text}.apply of a tg.Function")
    if not callable(found):
        raise UserError(f"{text} is not a function but of type {type(found).__name__}")
    return found


def _module(name: str) -> Any:
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        raise UserError(f"importing {name} failed: {type(error).__name__}: {error}") from None


def _member(owner: Any, name: str, known: str) -> Any:
    if hasattr(owner, name):
        return getattr(owner, name)
    near = difflib.get_close_matches(name, dir(owner), 1)
    raise UserError(f"{known} has no {name}" + (f"; did you mean {near[0]}?" if near else ""))


def inputs(function: Callable[..., Any], args: argparse.Namespace) -> list[Any]:
    """Random float64 tensors of the shapes that were asked for, or one of shape (2, 3) for each parameter."""
    from ..tensor import Tensor

    low, high = args.between or (-2.0, 2.0)
    if not (np.isfinite([low, high]).all() and low < high):
        raise UserError(f"--between must be two finite numbers, the smaller first, got {low} {high}")
    shapes = [(2, 3)] * _parameter_count(function) if args.inputs is None else _shapes(args.inputs)
    random = np.random.default_rng(args.seed)
    try:
        return [Tensor(random.uniform(low, high, s), "float64", args.device, requires_grad=True) for s in shapes]
    except (ValueError, MemoryError) as error:
        raise UserError(f"--inputs {args.inputs}: {error}") from None


def _shapes(text: str) -> list[tuple[int, ...]]:
    try:
        found = [tuple(int(n) for n in part.split("x")) if part != "-" else () for part in text.split(",")]
    except ValueError:
        found = [(-1,)]
    if any(n < 0 for shape in found for n in shape):
        raise UserError(f'--inputs must be shapes like "3x4,4" ("-" for a single number), got {text!r}')
    return found


def _parameter_count(function: Callable[..., Any]) -> int:
    """How many arguments a call must have."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 1
    return sum(p.kind in REQUIRED and p.default is inspect.Parameter.empty for p in parameters) or 1
