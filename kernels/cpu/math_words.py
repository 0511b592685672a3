"""Scalar arithmetic written down as LLVM instructions: what the functions of `math` are made of.

A mathematical function without branches is traced: it runs once, on `Word`s, and each operator it meets appends one
instruction to the kernel being compiled. LLVM sees one straight line in a loop, which it turns into vector code of the
machine's full width, and Numba has nothing to type or to compile, which would cost 70 ms a function.

The instructions carry no fast-math flags: what is fused into a multiply-add is what says `fma`, so that a function
gives the same bits wherever it is called and wherever in an array its argument lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..intrinsics import promise_apart
from ..native import Intrinsic

# NumPy's kind of number -> the instruction of each operator
ARITHMETIC = {
    "f": {"add": "fadd", "sub": "fsub", "mul": "fmul", "truediv": "fdiv"},
    "i": {"add": "add", "sub": "sub", "mul": "mul", "floordiv": "sdiv", "mod": "srem", "rshift": "ashr"},
    "u": {"add": "add", "sub": "sub", "mul": "mul", "floordiv": "udiv", "mod": "urem", "rshift": "lshr"},
    "b": {},
}
LOGIC = {"and": "and_", "or": "or_", "xor": "xor", "lshift": "shl"}
COMPARE = {"f": "fcmp_ordered", "i": "icmp_signed", "u": "icmp_unsigned", "b": "icmp_unsigned"}
BOOL, INT32, INT64 = np.dtype(bool), np.dtype(np.int32), np.dtype(np.int64)
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)
TABLE_SCOPE = 23  # one that no kernel stores to
SAME_SIZE: dict[np.dtype, np.dtype] = {FLOAT32: INT32, FLOAT64: INT64, INT32: FLOAT32, INT64: FLOAT64}


Operator = Callable[["Word", Any], "Word"]


def _operator(name: str) -> tuple[Operator, Operator]:
    """The operator, and the one for a number on the left."""

    def instruction(word: Word) -> str:
        return LOGIC.get(name) or ARITHMETIC[word.dtype.kind][name]

    def forward(self: Word, other: Any) -> Word:
        return self.emit(instruction(self), other)

    def backward(self: Word, other: Any) -> Word:
        return self.like(other).emit(instruction(self), self)

    return forward, backward


def _comparison(sign: str) -> Any:
    return lambda self, other: self.compare(sign, other)


class Word:
    """A number inside the code being written. Python numbers that it meets take its dtype.

    Integers wrap around; dividing them is the machine's: towards zero, and undefined where the divisor is zero.
    """

    __slots__ = ("builder", "dtype", "value")

    def __init__(self, builder: Any, value: Any, dtype: np.dtype):
        self.builder, self.value, self.dtype = builder, value, dtype

    def like(self, other: Any) -> Word:
        """`other` as a word of this one's dtype."""
        if isinstance(other, Word):
            assert other.dtype == self.dtype, f"{other.dtype} meets {self.dtype}"
            return other
        return Word(self.builder, _llvm_type(self.dtype)(_plain(other, self.dtype)), self.dtype)

    def emit(self, instruction: str, *others: Any) -> Word:
        """The result of an instruction on words of one dtype."""
        values = [self.like(other).value for other in others]
        return Word(self.builder, getattr(self.builder, instruction)(self.value, *values), self.dtype)

    def call(self, name: str, *others: Any) -> Word:
        """The result of an LLVM intrinsic that takes and gives this dtype."""
        from llvmlite import ir

        kind = self.value.type
        values = [self.value, *(self.like(other).value for other in others)]
        function = self.builder.module.declare_intrinsic(name, [kind], ir.FunctionType(kind, [kind] * len(values)))
        return Word(self.builder, self.builder.call(function, values), self.dtype)

    def compare(self, sign: str, other: Any) -> Word:
        """A comparison as NumPy makes it: NaN differs from everything."""
        name = "fcmp_unordered" if sign == "!=" and self.dtype.kind == "f" else COMPARE[self.dtype.kind]
        flag = getattr(self.builder, name)(sign, self.value, self.like(other).value)
        return Word(self.builder, flag, BOOL)

    def to(self, dtype: Any) -> Word:
        """The number converted to another dtype."""
        target = np.dtype(dtype)
        if target == self.dtype:
            return self
        value = getattr(self.builder, _conversion(self.dtype, target))(self.value, _llvm_type(target))
        return Word(self.builder, value, target)

    def bits(self) -> Word:
        """The same bits as an integer of the same size, or back."""
        target: np.dtype = SAME_SIZE[self.dtype]
        return Word(self.builder, self.builder.bitcast(self.value, _llvm_type(target)), target)

    def __neg__(self) -> Word:
        return self.emit("fneg") if self.dtype.kind == "f" else self.like(0) - self

    def __invert__(self) -> Word:
        return self.emit("not_")

    def __abs__(self) -> Word:
        return self.call("llvm.fabs") if self.dtype.kind == "f" else select(self < 0, -self, self)

    __add__, __radd__ = _operator("add")
    __sub__, __rsub__ = _operator("sub")
    __mul__, __rmul__ = _operator("mul")
    __truediv__, __rtruediv__ = _operator("truediv")
    __floordiv__, __rfloordiv__ = _operator("floordiv")
    __mod__, __rmod__ = _operator("mod")
    __and__, __rand__ = _operator("and")
    __or__, __ror__ = _operator("or")
    __xor__, __rxor__ = _operator("xor")
    __lshift__, __rlshift__ = _operator("lshift")
    __rshift__, __rrshift__ = _operator("rshift")
    __lt__, __le__, __gt__, __ge__ = map(_comparison, ("<", "<=", ">", ">="))
    __eq__, __ne__ = map(_comparison, ("==", "!="))
    __hash__ = None  # type: ignore[assignment]


def _plain(number: Any, dtype: np.dtype) -> float | int:
    return float(number) if dtype.kind == "f" else int(number)


def _llvm_type(dtype: np.dtype) -> Any:
    from llvmlite import ir

    if dtype.kind == "f":
        return ir.FloatType() if dtype.itemsize == 4 else ir.DoubleType()
    return ir.IntType(1 if dtype.kind == "b" else 8 * dtype.itemsize)


def _conversion(source: np.dtype, target: np.dtype) -> str:
    wider = target.itemsize > source.itemsize
    if source.kind == "f":
        return {"f": "fpext" if wider else "fptrunc", "i": "fptosi", "u": "fptoui"}[target.kind]
    if target.kind == "f":
        return "sitofp" if source.kind == "i" else "uitofp"
    return "trunc" if not wider else "sext" if source.kind == "i" else "zext"


def select(condition: Word, a: Any, b: Any) -> Word:
    """`a` where the condition holds, else `b`; at least one of them is a word."""
    a, b = (a, a.like(b)) if isinstance(a, Word) else (b.like(a), b)
    return Word(a.builder, a.builder.select(condition.value, a.value, b.value), a.dtype)


def fma(a: Word, b: Any, c: Any) -> Word:
    """`a * b + c`, rounded once."""
    return a.call("llvm.fma", b, c)


def polynomial(x: Word, coefficients: tuple[float, ...], square: Word | None = None) -> Word:
    """The polynomial whose coefficients come highest power first, by Horner's rule.

    Where the square of x is at hand, even and odd powers apart: as many operations, but two at a time.
    """
    if square is not None:
        odd, even = (polynomial(square, coefficients[-k::-2][::-1]) for k in (2, 1))
        return fma(odd, x, even)
    total = x.like(coefficients[0])
    for c in coefficients[1:]:
        total = fma(total, x, c)
    return total


def sum_of(large: Word, small: Word) -> tuple[Word, Word]:
    """The sum and what its rounding lost, where `large` is 0 or the larger one."""
    total = large + small
    return total, small - (total - large)


def sum_of_any(a: Word, b: Word) -> tuple[Word, Word]:
    """The sum and what its rounding lost."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def product_of(a: Word, b: Any) -> tuple[Word, Word]:
    """The product and what its rounding lost."""
    total = a * b
    return total, fma(a, b, -total)


def table(values: tuple[float, ...], index: Word) -> Word:
    """`values[index]` from a constant table of float64."""
    from llvmlite import ir

    builder, kind = index.builder, ir.ArrayType(ir.DoubleType(), len(values))
    name = f"table.{hash(values):x}"
    place = builder.module.globals.get(name) or ir.GlobalVariable(builder.module, kind, name)
    place.initializer, place.global_constant, place.linkage = kind(values), True, "internal"
    value = builder.load(builder.gep(place, [index.value.type(0), index.value], inbounds=True))
    promise_apart(builder, value, TABLE_SCOPE)
    return Word(builder, value, FLOAT64)


def copysign(x: Any, sign: Word) -> Word:
    """The size of `x` with the sign of `sign`."""
    return sign.like(x).call("llvm.copysign", sign)


def traced(function: Callable[..., Word], arity: int, dtype: np.dtype, source: str, name: str) -> Intrinsic:
    """The function for arguments of one dtype, callable from kernels and from people's own Numba code.

    source: what the kernel cache takes for the function's text.
    """

    def build(context: Any, *arguments: Any) -> Any:
        import numba

        def generate(target: Any, builder: Any, signature: Any, values: Any) -> Any:
            return function(*[Word(builder, value, dtype) for value in values]).value

        kind = numba.from_dtype(dtype)
        return numba.from_dtype(_result_dtype(function, dtype))(*[kind] * arity), generate

    fixed: Any = FIXED_ARITY[arity](build)  # Numba wants to see the number of arguments
    fixed.__name__, fixed.__doc__ = name, function.__doc__
    fixed.source = source
    return Intrinsic(fixed)


FIXED_ARITY: dict[int, Callable[..., Any]] = {
    1: lambda build: lambda context, a: build(context, a),
    2: lambda build: lambda context, a, b: build(context, a, b),
}


def truth(function: Any) -> Any:
    """Mark a function whose result is a truth value."""
    function.truth = True
    return function


def _result_dtype(function: Any, dtype: np.dtype) -> np.dtype:
    return BOOL if getattr(function, "truth", False) else dtype
