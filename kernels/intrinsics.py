"""The few machine-level words that Numba lacks: typed pointers, reading Python's arrays, calling an address."""

from __future__ import annotations

from typing import Any

import numpy as np

from .native import Intrinsic, helper


@Intrinsic
def pointer(context: Any, address: Any, T: Any) -> Any:
    """`pointer(address, np.float32)[i]` reads and writes the i-th float32 behind an address. Booleans are np.uint8."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], target.get_value_type(signature.return_type))

    return types.CPointer(T.instance_type)(types.int64, T), generate


@Intrinsic
def address_of(context: Any, pointer: Any) -> Any:
    """The address behind a pointer, as an integer."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        return builder.ptrtoint(arguments[0], ir.IntType(64))

    return types.int64(pointer), generate


@Intrinsic
def stack(context: Any, count: Any) -> Any:
    """`stack(8)`: room for eight 64-bit integers until the function returns. The count is a literal."""
    from numba import types
    from numba.core.errors import RequireLiteralValue

    if not isinstance(count, types.IntegerLiteral):
        raise RequireLiteralValue("stack needs a literal count")

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        with builder.goto_entry_block():
            return builder.alloca(ir.IntType(64), size=count.literal_value)

    return types.CPointer(types.int64)(count), generate


@Intrinsic
def call_kernel(context: Any, address: Any, operands: Any, meta: Any, lo: Any, hi: Any) -> Any:
    """Run the kernel at an address."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        integer, integers = ir.IntType(64), ir.IntType(64).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [integers, integers, integer, integer])
        builder.call(builder.inttoptr(arguments[0], kind.as_pointer()), arguments[1:])
        return target.get_dummy_value()

    integers = types.CPointer(types.int64)
    return types.void(types.int64, integers, integers, types.int64, types.int64), generate


def _fixed_arity(name: str, arity: int, build: Any) -> Intrinsic:
    """Numba wants to see how many arguments an intrinsic takes."""
    names = ", ".join(f"a{i}" for i in range(arity))
    scope: dict[str, Any] = {"build": build}
    exec(f"def {name}(context, {names}): return build(context, {names})", scope)
    function = scope[name]
    function.source = f"{name} {arity}"
    return Intrinsic(function)


def external(symbol: str, arity: int, returns: bool = True) -> Intrinsic:
    """A C function of the process (Python's own or the C library's) that takes and gives 64-bit integers."""

    def build(context: Any, *kinds: Any) -> Any:
        from numba import types

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            from llvmlite import ir
            from numba.core import cgutils

            integer = ir.IntType(64)
            kind = ir.FunctionType(integer if returns else ir.VoidType(), [integer] * arity)
            result = builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), arguments)
            return result if returns else target.get_dummy_value()

        return (types.int64 if returns else types.void)(*[types.int64] * arity), generate

    return _fixed_arity(symbol, arity, build)


take_reference = external("Py_IncRef", 1, returns=False)
new_bytes = external("PyBytes_FromStringAndSize", 2)
malloc = external("malloc", 1)
free = external("free", 1, returns=False)


def _scopes(module: Any, count: int = 24) -> list[Any]:
    """Names for "the memory of operand k", which LLVM may take to be apart from one another."""
    domain = module.add_metadata(["operands"])
    return [module.add_metadata([f"operand {k}", domain]) for k in range(count)]


def promise_apart(builder: Any, instruction: Any, scope: int) -> None:
    """Tell LLVM that a load or store touches only the memory of one scope (a number below 24)."""
    scopes = _scopes(builder.module)
    if scope < len(scopes):
        others = [s for k, s in enumerate(scopes) if k != scope]
        instruction.set_metadata("alias.scope", builder.module.add_metadata([scopes[scope]]))
        instruction.set_metadata("noalias", builder.module.add_metadata(others))


@Intrinsic
def load(context: Any, pointer: Any, index: Any, scope: Any) -> Any:
    """`pointer[index]`, with the promise that operands of other scopes (literals) do not overlap this one."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value = builder.load(builder.gep(arguments[0], [arguments[1]]))
        promise_apart(builder, value, scope.literal_value)
        return value

    return (pointer.dtype(pointer, types.int64, scope), generate) if hasattr(scope, "literal_value") else None


@Intrinsic
def store(context: Any, pointer: Any, index: Any, value: Any, scope: Any) -> Any:
    """`pointer[index] = value`, with the promise of `load`."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        promise_apart(builder, builder.store(arguments[2], place), scope.literal_value)
        return target.get_dummy_value()

    literal = hasattr(scope, "literal_value")
    return (types.void(pointer, types.int64, pointer.dtype, scope), generate) if literal else None


NEAREST, SECOND_LEVEL = 3, 2  # caches


def emit_prefetch(builder: Any, place: Any, cache: int) -> None:
    """Bring the line that a pointer is in into a cache, to be read; an address that is nobody's does no harm."""
    from llvmlite import ir
    from numba.core import cgutils

    integer, byte = ir.IntType(32), ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, integer, integer, integer])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    read, data = integer(0), integer(1)
    builder.call(function, [builder.bitcast(place, byte), read, integer(cache), data])


@Intrinsic
def prefetch(context: Any, address: Any, cache: Any) -> Any:
    """Ask for the line at an address, and go on. cache: NEAREST or SECOND_LEVEL."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir

        emit_prefetch(builder, builder.inttoptr(arguments[0], ir.IntType(8).as_pointer()), cache.literal_value)
        return target.get_dummy_value()

    return (types.void(types.int64, cache), generate) if hasattr(cache, "literal_value") else None


@Intrinsic
def select(context: Any, condition: Any, a: Any, b: Any) -> Any:
    """`a if condition else b` without a branch: both are computed."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return a(types.boolean, a, a), generate


OBJECT_HEAD = object.__basicsize__  # a NumPy array is Python's object head, then: data, ndim, shape, strides, ...


@helper
def array_data(array):
    """The address of the elements of the NumPy array object at an address."""
    return pointer(array, np.int64)[OBJECT_HEAD // 8]
