"""The innermost piece of the matrix product, written as LLVM vector code.

LLVM does not find a register tile by itself: given scalar accumulators it shuffles and spills. Given vector values that
live across the loop it keeps them in registers, so that is what these intrinsics emit. Every operand has run-time
strides; the last vector of a row is masked, so no size needs padding or a remainder loop.
"""

from __future__ import annotations

from collections.abc import Iterator
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


class Emit:
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

    def fetch(self, place: Any) -> None:
        """Bring a line into the nearest cache; an address that is nobody's does no harm."""
        where = self.b.bitcast(place, self.ir.IntType(8).as_pointer())
        self.intrinsic("llvm.prefetch.p0", self.ir.VoidType(), where, self.i32(0), self.i32(3), self.i32(1))

    def stay_rolled(self, branch: Any) -> None:
        """Forbid LLVM to unroll the loop that a branch closes: its registers are all in use."""
        module = self.b.module
        loop = module.add_metadata([branch.parent.name, module.add_metadata(["llvm.loop.unroll.disable"])])
        loop.operands = (loop, *loop.operands[1:])  # its first operand is to be itself
        branch.set_metadata("llvm.loop", loop)

    def cases(self, shape: Any, tiles: Any) -> Iterator[tuple[tuple[int, int], Any]]:
        """Stand in the code for each tile in turn, whose shape is rows * 16 + columns; it is to end in a branch."""
        function = self.b.function
        done = function.append_basic_block("done")
        switch = self.b.switch(shape, done)
        for rows, columns in tiles:
            block = function.append_basic_block(f"tile_{rows}_{columns}")
            switch.add_case(self.i64(rows * 16 + columns), block)
            self.b.position_at_end(block)
            yield (rows, columns), done
        self.b.position_at_end(done)

    def first_lanes(self, count: Any) -> Any:
        """A mask of the first `count` lanes."""
        numbers = self.ir.Constant(self.ir.VectorType(self.i64, self.lanes), [self.i64(i) for i in range(self.lanes)])
        return self.b.icmp_signed("<", numbers, self.splat(count))


def function(module: Any, scalar: Any, name: str, arity: int) -> Any:
    """A function of this name for numbers of this type, taking 64-bit integers; new ones are weak and do nothing.

    Helpers know only that, and the kernel that they end up in defines the function: LLVM optimizes a large body once,
    not anew with every helper around it.
    """
    from llvmlite import ir

    name = f"{name}_{scalar}"
    if name not in module.globals:
        weak = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.IntType(64)] * arity), name)
        weak.linkage = "weak"
        ir.IRBuilder(weak.append_basic_block("entry")).ret_void()
    return module.globals[name]


def caller(name: str, arity: int) -> Any:
    """What an intrinsic returns that calls such a function; its first argument is the type of the numbers."""

    def build(context: Any, T: Any, *_: Any) -> Any:
        from numba import types

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            scalar = target.get_value_type(T.instance_type)
            builder.call(function(builder.module, scalar, name, arity), arguments[1:])
            return target.get_dummy_value()

        return types.void(T, *[types.int64] * arity), generate

    return build


def definer(name: str, arity: int, body: Any) -> Any:
    """What an intrinsic returns that puts the definition into the kernel's module. body: f(emit, arguments)."""

    def build(context: Any, T: Any) -> Any:
        from numba import types

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from llvmlite import ir

            scalar = target.get_value_type(T.instance_type)
            defined = function(builder.module, scalar, name, arity)
            defined.linkage = ""
            defined.attributes.add("noinline")
            defined.blocks.clear()
            inside = ir.IRBuilder(defined.append_basic_block("entry"))
            body(Emit(inside, scalar, vector_bytes() // (4 if isinstance(scalar, ir.FloatType) else 8)), defined.args)
            inside.ret_void()
            return target.get_dummy_value()

        return types.void(T), generate

    return build


@Intrinsic
def tile(context: Any, T: Any, a: Any, rsa: Any, csa: Any, b: Any, ldb: Any, c: Any, ldc: Any, k: Any, shape: Any,
         lanes: Any, add: Any) -> Any:  # fmt: skip
    """C[rows, vectors] (+)= A[rows, k] B[k, vectors], for shape = rows * 16 + vectors and k > 0.

    a, b, c: addresses; rsa, csa, ldb, ldc: strides in elements; lanes: of the last vector; add: whether to add to C.
    """
    return caller("tile", 11)(context, T)


@Intrinsic
def define_tile(context: Any, T: Any) -> Any:
    """The body of `tile`, once a kernel."""
    return definer("tile", 11, _tile)(context, T)


def _tile(e: Emit, arguments: Any) -> None:
    a, rsa, csa, b, ldb, c, ldc, k, shape, lanes, add = arguments
    builder = e.b
    pointers = [builder.inttoptr(p, e.scalar.as_pointer()) for p in (a, b, c)]
    mask, adding = e.first_lanes(lanes), builder.icmp_signed("!=", add, e.i64(0))
    for (rows, vectors), done in e.cases(shape, _tiles()):
        _one_tile(e, rows, vectors, pointers, (rsa, csa, ldb, ldc), k, mask, adding, done)


def _one_tile(
    e: Emit, rows: int, vectors: int, pointers: Any, strides: Any, k: Any, mask: Any, adding: Any, done: Any
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
    e.stay_rolled(builder.cbranch(builder.icmp_signed("<", advance[0][1], k), loop, after))

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
def copy_vectors(context: Any, T: Any, source: Any, target: Any, ahead: Any) -> Any:
    """Copy two vectors, and fetch into the cache what lies `ahead` elements further in the source."""
    from numba import types

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        scalar = context.get_value_type(T.instance_type)
        e = Emit(builder, scalar, vector_bytes() // (4 if isinstance(scalar, ir.FloatType) else 8))
        source, target = (builder.inttoptr(p, scalar.as_pointer()) for p in arguments[1:3])
        places = [e.at(source, v * e.lanes) for v in range(2)]
        for place in places:
            e.fetch(e.at(place, arguments[3]))
        for v, value in enumerate([e.load(place) for place in places]):
            e.store(value, e.at(target, v * e.lanes))
        return context.get_dummy_value()

    return types.void(T, *[types.int64] * 3), generate


@Intrinsic
def transpose_square(context: Any, T: Any, source: Any, lds: Any, target: Any, ldt: Any) -> Any:
    """target[j, i] = source[i, j] for one square as wide as a vector."""
    return caller("transpose", 4)(context, T)


@Intrinsic
def define_transpose(context: Any, T: Any) -> Any:
    """The body of `transpose_square`, once a kernel."""
    return definer("transpose", 4, _transpose)(context, T)


def _transpose(e: Emit, arguments: Any) -> None:
    source, lds, target, ldt = arguments
    source, target = (e.b.inttoptr(p, e.scalar.as_pointer()) for p in (source, target))
    rows = [e.load(e.at(source, e.b.mul(lds, e.i64(i)))) for i in range(e.lanes)]
    for i, row in enumerate(_butterflies(e, rows)):
        e.store(row, e.at(target, e.b.mul(ldt, e.i64(i))))


def _butterflies(e: Emit, rows: list[Any]) -> list[Any]:
    """Exchange ever larger blocks across the diagonal, by shuffles in registers."""
    distance, lanes = 1, range(e.lanes)
    while distance < e.lanes:
        for i in (i for i in lanes if not i & distance):
            first, second = rows[i], rows[i + distance]
            low = [j if not j & distance else e.lanes + j - distance for j in lanes]
            high = [j + distance if not j & distance else e.lanes + j for j in lanes]
            rows[i], rows[i + distance] = e.shuffle(first, low, second), e.shuffle(first, high, second)
        distance *= 2
    return rows
