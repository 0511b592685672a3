"""One large scalar program for many samples, summed over them.

A program of a thousand steps is too long for one loop, and its compile time grows faster than its length: it is cut
into pieces, each a kernel that loops over the samples of a block, which LLVM vectorises. What one piece computes and
another needs lies in scratch rows, one sample beside the other.

operands: result (blocks x outputs), parameters, columns (inputs x samples). meta: samples, scratch rows, number of
outputs, number of pieces, the pieces' addresses, the scratch row of every output. The range counts blocks of BLOCK
samples, so that sums do not depend on the threads.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from .. import native, threads
from ..expr import Program, step_dtypes
from ..intrinsics import call_kernel, free, load, malloc, pointer, select, stack, store
from .printer import TYPES, Printer

BLOCK = 64
PIECE = 96  # steps in one loop: fewer move more values through scratch, more compile longer


class _Rows:
    """Which scratch row a value lies in, from the piece that makes it to the last one that reads it."""

    def __init__(self, program: Program):
        self.program = program
        self.piece_of, self.pieces = self._cut()
        self.last = {i: self.piece_of[i] for i in self.piece_of}
        for i, step in enumerate(program.steps):
            for a in step.args:
                if a in self.last and i in self.piece_of:
                    self.last[a] = max(self.last[a], self.piece_of[i])
        self.row: dict[int, int] = {}
        self.count = self._assign()

    def _cut(self) -> tuple[dict[int, int], list[list[int]]]:
        computed = [i for i, s in enumerate(self.program.steps) if s.op not in ("input", "constant")]
        pieces = [computed[k : k + PIECE] for k in range(0, len(computed), PIECE)]
        return {i: p for p, piece in enumerate(pieces) for i in piece}, pieces

    def _assign(self) -> int:
        free_rows: list[int] = []
        count = 0
        outputs = set(self.program.outputs)
        for p, piece in enumerate(self.pieces):
            for i in piece:
                if self.last[i] > p or i in outputs:
                    if not free_rows:
                        free_rows.append(count)
                        count += 1
                    self.row[i] = free_rows.pop()
            ended = [i for i in self.row if self.last[i] == p and i not in outputs]
            free_rows += [self.row[i] for i in ended if self.piece_of[i] < p]
        for i in outputs - set(self.row):  # an output that is an input or a constant
            self.row[i] = count
            count += 1
        return count


def _column(index: int, parameters: int) -> str:
    return f"load(columns, {index - parameters} * samples + lo + j, 1)"


def _piece(program: Program, printer: Printer, rows: _Rows, piece: list[int], parameters: int) -> str:
    """One loop as a kernel of its own: read what comes from elsewhere, compute, write what is needed elsewhere."""
    inside = set(piece)
    needed = dict.fromkeys(a for i in piece for a in program.steps[i].args if a not in inside)
    fixed, lines = [], []
    for a in needed:
        step = program.steps[a]
        if step.op == "input" and step.value < parameters:
            fixed.append(f"x{step.value} = parameters[{step.value}]")
        elif step.op == "input":
            lines.append(f"x{step.value} = {_column(step.value, parameters)}")
        elif step.op != "constant":
            value = f"load(scratch, {rows.row[a]} * {BLOCK} + j, 0)"
            lines.append(f"t{a} = {value}{' != 0' if printer.dtypes[a].kind == 'b' else ''}")
    lines += [f"t{i} = {printer.line(i, program.steps[i])}" for i in piece]
    lines += [f"store(scratch, {rows.row[i]} * {BLOCK} + j, T(t{i}), 0)" for i in piece if i in rows.row]
    return _loop(fixed, lines)


def _plain(program: Program, printer: Printer, rows: _Rows, parameters: int) -> str:
    """Outputs that need no computation: inputs and constants."""
    fixed, lines = [], []
    for i in dict.fromkeys(program.outputs):
        step = program.steps[i]
        if step.op in ("input", "constant"):
            value = printer.argument(i, printer.dtypes[i])
            if step.op == "input" and step.value < parameters:
                fixed.append(f"x{step.value} = parameters[{step.value}]")
            elif step.op == "input":
                value = _column(step.value, parameters)
            lines.append(f"store(scratch, {rows.row[i]} * {BLOCK} + j, T({value}), 0)")
    return _loop(fixed, lines)


def _loop(before: list[str], body: list[str]) -> str:
    head = [
        "def kernel(operands, meta, lo, hi):",
        "    scratch, parameters = pointer(operands[0], T), pointer(operands[1], T)",
    ]
    head += ["    columns, samples = pointer(operands[2], T), meta[0]", *(f"    {line}" for line in before)]
    return "\n".join([*head, "    for j in range(hi - lo):", *(f"        {line}" for line in body or ["pass"]), ""])


def _run(operands, meta, lo, hi):
    """Every piece for a block of samples, then the sums of the outputs over its samples."""
    samples, rows, outputs, pieces = meta[0], meta[1], meta[2], meta[3]
    result = pointer(operands[0], T)
    memory = malloc(rows * BLOCK * 8 + 64)
    inner = stack(3)
    inner[0], inner[1], inner[2] = (memory + 63) // 64 * 64, operands[1], operands[2]
    scratch = pointer(inner[0], T)
    for block in range(lo, hi):
        start = block * BLOCK
        end = min(start + BLOCK, samples)
        for p in range(pieces):
            call_kernel(meta[4 + p], inner, meta, start, end)
        for k in range(outputs):
            row, total = meta[4 + pieces + k] * BLOCK, T(0)
            for j in range(end - start):
                total += scratch[row + j]
            result[block * outputs + k] = total
    free(memory)


T = np.float64


@lru_cache(256)
def _compiled(program: Program, parameters: int, dtype: np.dtype) -> tuple[int, int, list[int], list[int]]:
    """The kernel that runs the pieces, the number of scratch rows, the pieces, and the rows of the outputs."""
    scope: dict[str, Any] = {
        "pointer": pointer,
        "load": load,
        "store": store,
        "select": select,
        "T": dtype.type,
        **TYPES,
    }
    rows = _Rows(program)
    printer = Printer(program, step_dtypes(program, [dtype] * program.input_count), scope)
    texts = [_piece(program, printer, rows, piece, parameters) for piece in rows.pieces]
    texts.append(_plain(program, printer, rows, parameters))
    pieces = [native.kernel(native.printed(text, "kernel", scope)) for text in texts]
    return native.kernel(_run, {"T": dtype.type}), rows.count, pieces, [rows.row[i] for i in program.outputs]


def sum_over_samples(program: Program, parameters: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Every output of the program, summed over the samples.

    parameters: vector, the program's first inputs. columns: (inputs, samples), its others. Both of one float dtype.
    """
    dtype, samples = columns.dtype, columns.shape[1]
    address, count, pieces, places = _compiled(program, parameters.size, dtype)
    blocks = -(-samples // BLOCK)
    result = np.zeros((blocks, len(places)), dtype)
    meta = [samples, count, len(places), len(pieces), *pieces, *places]
    grain = max(1, (1 << 19) // (BLOCK * max(1, len(program.steps))))
    if blocks:
        threads.Launch(address, meta, blocks, grain).run(result, parameters, np.ascontiguousarray(columns))
    return result.sum(axis=0)
