"""What reductions do with a total and an element, written as LLVM instructions."""

from __future__ import annotations

from typing import Any

from .. import native
from ..intrinsics import promise_apart

# For floats, signed and unsigned integers. NaN wins in llvm.maximum and llvm.minimum, of which LLVM knows vector forms.
INSTRUCTIONS = {
    "sum": ("fadd", "add", "add"),
    "prod": ("fmul", "mul", "mul"),
    "max": ("llvm.maximum.f", "llvm.smax.i", "llvm.umax.i"),
    "min": ("llvm.minimum.f", "llvm.smin.i", "llvm.umin.i"),
    "any": ("", "or_", "or_"),
    "all": ("", "and_", "and_"),
}
QUICKEST_ORDER = {"fadd": ("reassoc", "nsz", "contract")}  # products are multiplied in the order in which NumPy does it


class _Emit:
    """Writes what an operation does with a total of one Numba type and an element of another."""

    def __init__(self, name: str, total: Any, element: Any):
        from numba import types

        self.is_truth, self.total, self.element = name in ("any", "all"), total, element
        self.instruction = INSTRUCTIONS[name][0 if isinstance(total, types.Float) else 1 if total.signed else 2]

    def lift(self, target: Any, builder: Any, value: Any) -> Any:
        """An element as a total. NaN is true."""
        from llvmlite import ir
        from numba import types

        if not self.is_truth:
            return target.cast(builder, value, self.element, self.total)
        compare = builder.fcmp_unordered if isinstance(self.element, types.Float) else builder.icmp_unsigned
        return builder.zext(compare("!=", value, ir.Constant(value.type, 0)), ir.IntType(8))

    def combine(self, builder: Any, a: Any, b: Any) -> Any:
        """Two totals as one."""
        from llvmlite import ir
        from numba.core import cgutils

        if not self.instruction.startswith("llvm"):
            return getattr(builder, self.instruction)(a, b, flags=QUICKEST_ORDER.get(self.instruction, ()))
        symbol = f"{self.instruction}{self.total.bitwidth}"
        kind = ir.FunctionType(a.type, [a.type, a.type])
        return builder.call(cgutils.get_or_insert_function(builder.module, kind, symbol), [a, b])


def combining(name: str) -> native.Intrinsic:
    """`combine(total, element)` for an operation."""

    def combine(context: Any, total: Any, element: Any) -> Any:
        emit = _Emit(name, total, element)

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return emit.combine(builder, arguments[0], emit.lift(target, builder, arguments[1]))

        return total(total, element), generate

    combine.__name__ = f"combine_{name}"
    return native.Intrinsic(combine)


def combining_eight(name: str) -> native.Intrinsic:
    """`combine_eight(total, T, address, stride, j)`: with the j-th element of eight rows, `stride` bytes apart.

    The eight are combined pairwise first, which rounds less than one after another.
    """

    def combine_eight(context: Any, total: Any, T: Any, address: Any, stride: Any, j: Any) -> Any:
        emit = _Emit(name, total, T.instance_type)

        def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first, _, address, stride, j = arguments
            kind, values = target.get_value_type(emit.element).as_pointer(), []
            for k in range(8):
                row = builder.add(address, builder.mul(stride, stride.type(k)))
                element = builder.load(builder.gep(builder.inttoptr(row, kind), [j]))
                promise_apart(builder, element, 1)
                values.append(emit.lift(target, builder, element))
            while len(values) > 1:
                values = [emit.combine(builder, a, b) for a, b in zip(values[::2], values[1::2], strict=True)]
            return emit.combine(builder, first, values[0])

        return total(total, T, address, stride, j), generate

    combine_eight.__name__ = f"combine_eight_{name}"
    return native.Intrinsic(combine_eight)
