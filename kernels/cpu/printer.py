"""Prints a program as the Python source of a kernel: the loops around, and the steps as lines of the innermost one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import native
from ..expr import OPS, Program, Step, constant_value, step_dtypes
from ..intrinsics import load, pointer, select, store
from .math import function


def kernel_function(program: Program, dtypes: str, letters: str, same: tuple[Any, ...] = ()) -> Any:
    """The printed kernel as a Python function (`native.source_of` shows its text)."""
    kinds = step_dtypes(program, [np.dtype(c) for c in dtypes])
    scope: dict[str, Any] = {"pointer": pointer, "load": load, "store": store, "select": select, **TYPES}
    body = Printer(program, kinds, scope).lines()
    operand_dtypes = [kinds[i] for i in program.outputs] + [kinds[i] for i in range(program.input_count)]
    return native.printed(_loop(program, body, operand_dtypes, letters, {j: i for i, j in same}), "kernel", scope)


_NUMBERS = "int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64"
TYPES: dict[str, Any] = {name: getattr(np, name) for name in _NUMBERS.split()} | {"inf": math.inf, "nan": math.nan}


def _loop(program: Program, body: list[str], dtypes: list[np.dtype], letters: str, alias: dict[int, int]) -> str:
    """The text of a kernel: walk rows, find where each operand's row starts, run the body along it."""
    count, outputs = len(letters), len(program.outputs)
    memory = [memory_name(d) for d in dtypes]
    read_by = [*body, *(result(program, k) for k in range(outputs))]
    read = [k for k in range(outputs, count) if any(f"x{k - outputs}" in words(line) for line in read_by)]
    place = {k: alias.get(k, k) for k in read}  # an input that is an output is read there, else LLVM cannot vectorise
    used = [*range(outputs), *(k for k in read if place[k] == k)]
    index = {"c": "j", "s": "0", "x": "j * s{k}"}
    reads = [
        f"x{k - outputs} = {loaded(f'load(p{q}, {index[letters[q]].format(k=q)}, {q})', dtypes[k])}"
        for k, q in place.items()
    ]
    once = [line for line, k in zip(reads, read, strict=True) if letters[k] == "s"]
    each = [line for line in reads if line not in once]
    writes = [
        f"store(p{k}, {index[letters[k]].format(k=k)}, {memory[k]}({result(program, k)}), {k})" for k in range(outputs)
    ]
    lines = ["def kernel(operands, meta, lo, hi):", "    inner = meta[0]", "    rank = meta[1]"]
    lines += [f"    m{k} = 2 + rank + {k} * (1 + rank)" for k in used]
    lines += [f"    s{k} = meta[m{k}]" for k in used if letters[k] == "x"]
    lines += ["    i = lo", "    while i < hi:", "        rest = i // inner", "        start = i - rest * inner"]
    lines += ["        count = min(inner - start, hi - i)"]
    lines += [f"        b{k} = operands[{k}] + start * meta[m{k}] * {dtypes[k].itemsize}" for k in used]
    lines += ["        for d in range(rank):", "            axis = rank - 1 - d", "            size = meta[2 + axis]"]
    lines += ["            place = rest % size", "            rest = rest // size"]
    lines += [f"            b{k} += place * meta[m{k} + 1 + axis]" for k in used]
    lines += [f"        p{k} = pointer(b{k}, {memory[k]})" for k in used]
    lines += [f"        {line}" for line in once]
    lines += ["        for j in range(count):"]
    lines += [f"            {line}" for line in [*each, *body, *writes]]
    return "\n".join([*lines, "        i += count", ""])


def words(line: str) -> set[str]:
    """The names and numbers in a line of code."""
    return set("".join(c if c.isalnum() else " " for c in line).split())


def memory_name(dtype: np.dtype) -> str:
    """What elements of a dtype are called where they lie in memory; truth values are bytes."""
    return "uint8" if dtype.kind == "b" else dtype.name


def loaded(text: str, dtype: np.dtype) -> str:
    """An element that was read, as the value that it stands for."""
    return f"{text} != 0" if dtype.kind == "b" else text


def result(program: Program, k: int) -> str:
    """The name of the k-th output."""
    return _name(program, program.outputs[k])


def _name(program: Program, index: int) -> str:
    step = program.steps[index]
    return f"x{step.value}" if step.op == "input" else f"t{index}"


# What Numba writes as an operator. Everything else is a helper of `cpu.math`.
PRINTED = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "negative": "-{0}", "square": "{0} * {0}",
    "equal": "{0} == {1}", "not_equal": "{0} != {1}", "less": "{0} < {1}", "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}", "greater_equal": "{0} >= {1}",
    "logical_and": "{0} & {1}", "logical_or": "{0} | {1}", "logical_xor": "{0} ^ {1}", "logical_not": "not {0}",
    "bitwise_and": "{0} & {1}", "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} ^ {1}",
    "where": "select({0}, {1}, {2})", "relu": "select({0} <= {zero}, {zero}, {0})",
}  # fmt: skip
PRINTED_FLOAT = {"divide": "{0} / {1}"}
LOGICAL = {"logical_and", "logical_or", "logical_xor", "logical_not"}


class Printer:
    """The steps of a program as lines of Python that keep every intermediate result in its dtype."""

    def __init__(self, program: Program, dtypes: list[np.dtype], scope: dict[str, Any]):
        self.program, self.dtypes, self.scope = program, dtypes, scope

    def lines(self) -> list[str]:
        steps = enumerate(self.program.steps)
        return [f"t{i} = {self.line(i, step)}" for i, step in steps if step.op not in ("input", "constant")] + [
            f"t{i} = {self.argument(i, self.dtypes[i])}"
            for i in set(self.program.outputs)
            if self.program.steps[i].op == "constant"
        ]

    def line(self, i: int, step: Step) -> str:
        dtype = self.dtypes[i]
        if step.op == "cast":
            return self.argument(step.args[0], dtype)
        work = self.working_dtype(step, dtype)
        kinds = [np.dtype(bool), work, work] if step.op == "where" else [work] * len(step.args)
        args = [self.argument(a, kind) for a, kind in zip(step.args, kinds, strict=True)]
        text = self.call(step.op, work, args)
        return text if dtype.kind in "bf" else f"{memory_name(dtype)}({text})"

    def working_dtype(self, step: Step, dtype: np.dtype) -> np.dtype:
        """The dtype in which a step computes: that of its result, or for truth values that of its arguments."""
        if step.op in LOGICAL:
            return np.dtype(bool)
        if OPS[step.op].result == "same":
            return dtype
        kinds = [self.dtypes[a] for a in step.args if self.program.steps[a].op != "constant"]
        return np.result_type(*kinds) if kinds else self.dtypes[step.args[0]]

    def argument(self, index: int, dtype: np.dtype) -> str:
        step = self.program.steps[index]
        if step.op == "constant":
            return self.constant(constant_value(step), dtype)
        name = _name(self.program, index)
        if self.dtypes[index] == dtype:
            return name
        return f"({name} != 0)" if dtype.kind == "b" else f"{memory_name(dtype)}({name})"

    def constant(self, value: Any, dtype: np.dtype) -> str:
        if dtype.kind == "b":
            return repr(bool(value))
        return f"{memory_name(dtype)}({float(value) if dtype.kind == 'f' else int(value)!r})"

    def call(self, op: str, work: np.dtype, args: list[str]) -> str:
        table = {**PRINTED, **PRINTED_FLOAT} if work.kind == "f" else PRINTED
        if op in table:
            return table[op].format(*args, zero=self.constant(0, work))
        helper = function(op, work)
        if helper is None:
            raise TypeError(f"{op} is not defined for dtype {work}; convert to float32 or float64 first")
        self.scope[f"{op}_{work.name}"] = helper
        return f"{op}_{work.name}({', '.join(args)})"


def scalar_function(program: Program, parameters: Sequence[str], result: Callable[[list[str]], str]) -> Any:
    """The program as a Python function of float64 numbers, for Numba.

    parameters: what stands between the parentheses, "x" or "n=2.0"; result: makes the returned text of its outputs.
    """
    kinds = step_dtypes(program, [np.dtype(np.float64)] * program.input_count)
    scope: dict[str, Any] = {"select": select, **TYPES}
    body = Printer(program, kinds, scope).lines()
    given = [f"float64({p.partition('=')[0]})" for p in parameters]
    convert = [f"{', '.join(f'x{i}' for i in range(len(given)))} = {', '.join(given)}"] if given else []
    names = [_name(program, i) for i in program.outputs]
    outputs = [n if kinds[i].kind == "b" else f"float64({n})" for n, i in zip(names, program.outputs, strict=True)]
    text = "\n    ".join([f"def function({', '.join(parameters)}):", *convert, *body, f"return {result(outputs)}"])
    return native.printed(text + "\n", "function", scope)
