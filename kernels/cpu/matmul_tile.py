"""The innermost piece of the matrix product, written as LLVM vector code.

LLVM does not find a register tile by itself: given scalar accumulators it shuffles and spills. Given vector values that
live across the loop it keeps them in registers, so that is what these intrinsics emit. Every operand has run-time
strides; the last vector of a row is masked, so no size needs padding or a remainder loop.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from ..native import Intrinsic

ROWS = (1, 2, 3, 4, 6, 8, 12)  # heights of tiles; other heights are put together from these
WIDE = {1: 8, 2: 4}  # vectors side by side for low tiles, so that enough sums are under way; 2 for the others
ROWS_16_REGISTERS = (1, 2, 3, 4, 6)


@cache
def vector_bytes() -> int:
    """Width of the host's vectors: 64 with AVX-512, 32 with AVX, else 16."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


def tile_rows() -> tuple[int, ...]:
    """The heights of tiles that fit into the host's registers."""
    return ROWS if vector_bytes() == 64 else ROWS_16_REGISTERS


def _tiles() -> list[tuple[int, int]]:
    return [(rows, n) for rows in tile_rows() for n in sorted({1, 2, WIDE.get(rows, 2)})]


class _Emit:
    """Shorthand for the instructions of one function on vectors of one float type."""

    def __init__(self, builder: Any, scalar: Any, lanes: int):
        from llvmlite import ir

        self.b, self.ir, self.scalar, self.lanes = builder, ir, scalar, lanes
        self.vector, self.i64, self.i32 = ir.VectorType(scalar, lanes), ir.IntType(64), ir.IntType(32)
        self.suffix = f"v{lanes}f{32 if isinstance(scalar, ir.FloatType) else 64}"
        self.align = 4 if isinstance(scalar, ir.FloatType) else 8

    def intrinsic(self, name: str, result: Any, *args: Any) -> Any:
        from numba.core import cgutils

        kind = self.ir.FunctionType(result, [a.type for a in args])
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), args)

    def at(self, base: Any, *offsets: Any) -> Any:
        for offset in offsets:
            base = self.b.gep(base, [offset if hasattr(offset, "type") else self.i64(offset)])
        return base

    def splat(self, value: Any) -> Any:
        return self.shuffle(self.b.insert_element(self.undefined(value.type), value, self.i32(0)), [0] * self.lanes)

    def undefined(self, kind: Any) -> Any:
        return self.ir.Constant(self.ir.VectorType(kind, self.lanes), self.ir.Undefined)

    def shuffle(self, a: Any, order: list[int], b: Any = None) -> Any:
        mask = self.ir.Constant(self.ir.VectorType(self.i32, self.lanes), [self.i32(i) for i in order])
        return self.b.shuffle_vector(a, a if b is None else b, mask)

    def load(self, place: Any, mask: Any = None) -> Any:
        where = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            return self.b.load(where, align=self.align)
        zero = self.ir.Constant(self.vector, None)
        return self.intrinsic(
            f"llvm.masked.load.{self.suffix}.p0", self.vector, where, self.i32(self.align), mask, zero
        )

    def store(self, value: Any, place: Any, mask: Any = None) -> None:
        where = self.b.bitcast(place, self.vector.as_pointer())
        if mask is None:
            self.b.store(value, where, align=self.align)
        else:
            name = f"llvm.masked.store.{self.suffix}.p0"
            self.intrinsic(name, self.ir.VoidType(), value, where, self.i32(self.align), mask)

    def first_lanes(self, count: Any) -> Any:
        """A mask of the first `count` lanes."""
        numbers = self.ir.Constant(self.ir.VectorType(self.i64, self.lanes), [self.i64(i) for i in range(self.lanes)])
        return self.b.icmp_signed("<", numbers, self.splat(count))


@Intrinsic
def tile(context: Any, T: Any, a: Any, rsa: Any, csa: Any, b: Any, ldb: Any, c: Any, ldc: Any, k: Any, shape: Any,
         lanes: Any, add: Any) -> Any:  # fmt: skip
    """C[rows, vectors] (+)= A[rows, k] B[k, vectors], for shape = rows * 16 + vectors and k > 0.

    a, b, c: addresses; rsa, csa, ldb, ldc: strides in elements; lanes: of the last vector; add: whether to add to C.
    """
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar = target.get_value_type(T.instance_type)
        builder.call(_tile_function(builder.module, scalar), arguments[1:])
        return target.get_dummy_value()

    return types.void(T, *[types.int64] * 11), generate


def _tile_function(module: Any, scalar: Any) -> Any:
    from llvmlite import ir

    name = f"tile_{scalar}"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * 11), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    e = _Emit(builder, scalar, vector_bytes() // (4 if isinstance(scalar, ir.FloatType) else 8))
    a, rsa, csa, b, ldb, c, ldc, k, shape, lanes, add = function.args
    pointers = [builder.inttoptr(p, scalar.as_pointer()) for p in (a, b, c)]
    mask, adding = e.first_lanes(lanes), builder.icmp_signed("!=", add, e.i64(0))
    done = function.append_basic_block("done")
    switch = builder.switch(shape, done)
    for rows, vectors in _tiles():
        block = function.append_basic_block(f"tile_{rows}_{vectors}")
        switch.add_case(e.i64(rows * 16 + vectors), block)
        builder.position_at_end(block)
        _one_tile(e, rows, vectors, pointers, (rsa, csa, ldb, ldc), k, mask, adding, done)
    builder.position_at_end(done)
    builder.ret_void()
    return function


def _one_tile(
    e: _Emit, rows: int, vectors: int, pointers: Any, strides: Any, k: Any, mask: Any, adding: Any, done: Any
) -> None:
    (a, b, c), (rsa, csa, ldb, ldc), builder = pointers, strides, e.b
    masks = [None] * (vectors - 1) + [mask]
    starts = [e.at(a, builder.mul(rsa, e.i64(i))) for i in range(rows)]
    before, function = builder.block, builder.function
    loop, after = function.append_basic_block("k"), function.append_basic_block("store")
    adds, puts = function.append_basic_block("add"), function.append_basic_block("put")
    builder.branch(loop)

    builder.position_at_end(loop)
    step, along, row = builder.phi(e.i64), builder.phi(e.i64), builder.phi(b.type)
    sums = [[builder.phi(e.vector) for _ in range(vectors)] for _ in range(rows)]
    columns = [e.load(e.at(row, v * e.lanes), masks[v]) for v in range(vectors)]
    new = []
    for i in range(rows):
        value = e.splat(builder.load(e.at(starts[i], along)))
        fma = f"llvm.fma.{e.suffix}"
        new.append([e.intrinsic(fma, e.vector, value, columns[v], sums[i][v]) for v in range(vectors)])
    advance = [(step, builder.add(step, e.i64(1))), (along, builder.add(along, csa)), (row, e.at(row, ldb))]
    for (phi, value), start in zip(advance, (e.i64(0), e.i64(0), b), strict=True):
        phi.add_incoming(start, before)
        phi.add_incoming(value, loop)
    for i in range(rows):
        for v in range(vectors):
            sums[i][v].add_incoming(e.ir.Constant(e.vector, None), before)
            sums[i][v].add_incoming(new[i][v], loop)
    builder.cbranch(builder.icmp_signed("<", advance[0][1], k), loop, after)

    builder.position_at_end(after)
    places = [[e.at(c, builder.mul(ldc, e.i64(i)), v * e.lanes) for v in range(vectors)] for i in range(rows)]
    builder.cbranch(adding, adds, puts)
    for block, is_sum in ((adds, True), (puts, False)):
        builder.position_at_end(block)
        for i in range(rows):
            for v in range(vectors):
                value = builder.fadd(new[i][v], e.load(places[i][v], masks[v])) if is_sum else new[i][v]
                e.store(value, places[i][v], masks[v])
        builder.branch(done)


@Intrinsic
def transpose_square(context: Any, T: Any, source: Any, lds: Any, target: Any, ldt: Any) -> Any:
    """target[j, i] = source[i, j] for one square as wide as a vector: butterflies of shuffles in registers."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        scalar = context.get_value_type(T.instance_type)
        e = _Emit(builder, scalar, vector_bytes() // (4 if isinstance(scalar, ir.FloatType) else 8))
        _, source, lds, target, ldt = arguments
        source, target = (builder.inttoptr(p, scalar.as_pointer()) for p in (source, target))
        rows = [e.load(e.at(source, builder.mul(lds, e.i64(i)))) for i in range(e.lanes)]
        for i, row in enumerate(_butterflies(e, rows)):
            e.store(row, e.at(target, builder.mul(ldt, e.i64(i))))
        return context.get_dummy_value()

    return types.void(T, *[types.int64] * 4), generate


def _butterflies(e: _Emit, rows: list[Any]) -> list[Any]:
    """Exchange ever larger blocks across the diagonal."""
    distance, lanes = 1, range(e.lanes)
    while distance < e.lanes:
        for i in (i for i in lanes if not i & distance):
            first, second = rows[i], rows[i + distance]
            low = [j if not j & distance else e.lanes + j - distance for j in lanes]
            high = [j + distance if not j & distance else e.lanes + j for j in lanes]
            rows[i], rows[i + distance] = e.shuffle(first, low, second), e.shuffle(first, high, second)
        distance *= 2
    return rows
