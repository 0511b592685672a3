"""Programs taken apart into expressions and put together again: what simplifying and fusing do to them."""

from __future__ import annotations

from collections.abc import Sequence

from tinygrad_lite_kernels.expr import Expr, Program, apply, cast, constant, constant_value


def expressions(program: Program, arguments: Sequence[Expr]) -> list[Expr]:
    """The outputs of a program as expressions of its arguments."""
    known: list[Expr] = []
    for step in program.steps:
        args = [known[i] for i in step.args]
        if step.op == "input":
            known.append(arguments[step.value])
        elif step.op == "constant":
            known.append(constant(constant_value(step)))
        else:
            known.append(cast(args[0], step.value) if step.op == "cast" else apply(step.op, *args))
    return [known[i] for i in program.outputs]
