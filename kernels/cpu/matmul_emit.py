"""What the vector code of the matrix product is written with: LLVM instructions on vectors of one float type."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from ..intrinsics import NEAREST, emit_prefetch


@cache
def vector_bytes() -> int:
    """Width of the host's vectors: 64 with AVX-512, 32 with AVX, else 16."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    return 64 if features.get("avx512f") else 32 if features.get("avx") else 16


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

    def fma(self, a: Any, b: Any, c: Any) -> Any:
        return self.intrinsic(f"llvm.fma.{self.suffix}", self.vector, a, b, c)

    def pointers(self, *addresses: Any) -> list[Any]:
        return [self.b.inttoptr(address, self.scalar.as_pointer()) for address in addresses]

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

    def joined(self, parts: list[Any]) -> Any:
        """One vector of the lanes of several."""
        while len(parts) > 1:
            lanes = 2 * parts[0].type.count
            mask = self.ir.Constant(self.ir.VectorType(self.i32, lanes), [self.i32(i) for i in range(lanes)])
            parts = [self.b.shuffle_vector(x, y, mask) for x, y in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

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

    def prefetch(self, place: Any, cache: int = NEAREST) -> None:
        emit_prefetch(self.b, place, cache)

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
        numbers = self.ir.Constant(self.ir.VectorType(self.i32, self.lanes), [self.i32(i) for i in range(self.lanes)])
        return self.b.icmp_signed("<", numbers, self.splat(self.b.trunc(count, self.i32)))


def emitter(builder: Any, scalar: Any) -> Emit:
    """For the host's widest vectors."""
    from llvmlite import ir

    return Emit(builder, scalar, vector_bytes() // (4 if isinstance(scalar, ir.FloatType) else 8))


def inlined(arity: int, body: Any) -> Any:
    """What an intrinsic returns that stands where it is called. body: f(emit, arguments)."""

    def build(context: Any, T: Any, *_: Any) -> Any:
        from numba import types

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            body(emitter(builder, target.get_value_type(T.instance_type)), arguments[1:])
            return target.get_dummy_value()

        return types.void(T, *[types.int64] * arity), generate

    return build


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
            body(emitter(inside, scalar), defined.args)
            inside.ret_void()
            return target.get_dummy_value()

        return types.void(T), generate

    return build
