"""Gradient checks of the table's operations, with tolerances that an error of one part in a thousand does not pass."""

from __future__ import annotations

from dataclasses import replace

from ..gradient_check import Report, examine, examine_second
from ..gradient_check.checks import Settings
from .record import Case, Operation

STRICT = Settings(eps=1e-6, atol=1e-7, rtol=2e-6, dtypes=True)


def first_order(operation: Operation, case: Case, device: str, fast: bool = False, layouts: bool = True) -> Report:
    """The gradient of one case against differences, in reverse and in forward mode."""
    settings = replace(STRICT, fast=fast, layouts=layouts)
    return examine(operation.function(case), operation.tensors(case, device), settings)


def second_order(operation: Operation, case: Case, device: str, fast: bool = False, layouts: bool = True) -> Report:
    """The gradient of the gradient of one case."""
    settings = replace(STRICT, fast=fast, layouts=layouts, forward=False, prefix="second order, ")
    return examine_second(operation.function(case), operation.tensors(case, device), settings)
