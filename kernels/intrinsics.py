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


@Intrinsic
def new_reference(context: Any, address: Any) -> Any:
    """Take a reference to the Python object at an address, and return the address."""
    from numba import types

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        from llvmlite import ir
        from numba.core import cgutils

        kind = ir.FunctionType(ir.VoidType(), [ir.IntType(64)])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "Py_IncRef"), arguments)
        return arguments[0]

    return types.int64(types.int64), generate


OBJECT_HEAD = object.__basicsize__  # a NumPy array is Python's object head, then: data, ndim, shape, strides, ...


@helper
def array_data(array):
    """The address of the elements of the NumPy array object at an address."""
    return pointer(array, np.int64)[OBJECT_HEAD // 8]
