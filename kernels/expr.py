"""Scalar expressions: the one form in which every elementwise operation exists.

`Expr` is what people and derivative rules write: `x, = inputs(1); y = x * exp(-x)`. `Program` is the same computation
as a flat list without repetitions: what kernels are printed from and cached by, and what the reference evaluates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np


class Op(NamedTuple):
    """One scalar operation. result: "same" is the arguments' common dtype, "bool" a truth value."""

    arity: int
    result: str = "same"


def _table(arity: int, names: str, result: str = "same") -> dict[str, Op]:
    return {name: Op(arity, result) for name in names.split()}


# Names are the array API standard's where it has one. Floating functions expect floating arguments.
FLOAT_UNARY = (
    "exp expm1 log log1p log2 log10 sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh "
    "erf erfc sigmoid"
)
FLOAT_BINARY = "divide atan2 hypot copysign nextafter"
OPS: dict[str, Op] = {
    **_table(1, "negative abs sign square relu floor ceil trunc round bitwise_invert " + FLOAT_UNARY),
    **_table(2, "add subtract multiply pow floor_divide remainder maximum minimum " + FLOAT_BINARY),
    **_table(2, "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift"),
    **_table(2, "equal not_equal less less_equal greater greater_equal logical_and logical_or logical_xor", "bool"),
    **_table(1, "logical_not isnan isinf isfinite signbit", "bool"),
    "where": Op(3),
}
COMMUTATIVE = set(
    "add multiply maximum minimum equal not_equal logical_and logical_or logical_xor "
    "bitwise_and bitwise_or bitwise_xor hypot".split()
)
FLOATING = set(f"{FLOAT_UNARY} {FLOAT_BINARY}".split())  # of integers they give DEFAULT_FLOAT
UNDEFINED = {  # for these kinds of dtype
    **dict.fromkeys("negative subtract sign pow floor_divide remainder".split(), "b"),
    **dict.fromkeys("bitwise_invert bitwise_and bitwise_or bitwise_xor".split(), "f"),
    **dict.fromkeys("bitwise_left_shift bitwise_right_shift".split(), "bf"),
}
DEFAULT_FLOAT = np.dtype(np.float32)


class Expr:
    """A node: an input (value: its number), a constant, a cast (value: dtype character), or an operation of `OPS`."""

    __array_priority__ = 1000
    __slots__ = ("args", "op", "value")

    def __init__(self, op: str, args: tuple[Expr, ...] = (), value: Any = None):
        self.op, self.args, self.value = op, args, value

    def __repr__(self) -> str:
        return to_text(self)

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError(
            "a traced value has no truth value: Python's if, while, and, or, max and min cannot choose by it. "
            "Write where(condition, a, b), logical_and, logical_or, maximum or minimum instead"
        )

    def __float__(self) -> float:
        raise TypeError(
            "a traced value is not a number: functions of the math module cannot take it. "
            "Write tinygrad_lite.scalar.exp, .sin, .sqrt ... (or numpy.exp ...) instead"
        )

    __int__ = __index__ = __float__

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        name = UFUNC_NAMES.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or options or name not in OPS:
            what = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise TypeError(f"numpy.{what} has no derivative here; known: {', '.join(sorted(OPS))}")
        if any(isinstance(a, np.ndarray) for a in args):
            return np.frompyfunc(partial(apply, name), len(args), 1)(*(_boxed(a) for a in args))
        return apply(name, *args)

    def __pos__(self) -> Expr:
        return self

    if TYPE_CHECKING:  # the operators come from `define_operators`

        def __getattr__(self, name: str) -> Any: ...


def _boxed(x: Any) -> Any:
    """An expression as an array without axes, so that NumPy combines it with every element of another."""
    if not isinstance(x, Expr):
        return x
    box = np.empty((), object)
    box[()] = x
    return box


UFUNC_NAMES = {
    "absolute": "abs", "power": "pow", "true_divide": "divide", "arcsin": "asin", "arccos": "acos", "arctan": "atan",
    "arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh", "arctan2": "atan2", "rint": "round", "mod": "remainder",
    "invert": "bitwise_invert", "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift",
}  # fmt: skip

OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "pow", "mod": "remainder",
    "floordiv": "floor_divide", "and": "bitwise_and", "or": "bitwise_or", "xor": "bitwise_xor",
    "lshift": "bitwise_left_shift", "rshift": "bitwise_right_shift",
}  # fmt: skip
COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}  # fmt: skip
UNARY_OPERATORS = {
    "neg": "negative", "abs": "abs", "invert": "bitwise_invert",
    "round": "round", "floor": "floor", "ceil": "ceil", "trunc": "trunc",
}  # fmt: skip


def define_operators(cls: type, call: Callable[..., Any]) -> None:
    """Give a class Python's operators: `x + y` becomes `call("add", x, y)`, and so for both orders."""
    for python, name in {**OPERATORS, **COMPARISONS}.items():
        setattr(cls, f"__{python}__", _binary(call, name))
    for python, name in OPERATORS.items():
        setattr(cls, f"__r{python}__", _reversed(call, name))
    for python, name in UNARY_OPERATORS.items():
        setattr(cls, f"__{python}__", _unary(call, name))


def _unary(call: Callable[..., Any], name: str) -> Callable[[Any], Any]:
    return lambda a: call(name, a)


def _binary(call: Callable[..., Any], name: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: call(name, a, b)


def _reversed(call: Callable[..., Any], name: str) -> Callable[[Any, Any], Any]:
    return lambda a, b: call(name, b, a)


def inputs(count: int) -> list[Expr]:
    """`count` fresh inputs, numbered from 0."""
    return [Expr("input", value=i) for i in range(count)]


def constant(value: Any) -> Expr:
    """A number as an expression. It takes the dtype of what it meets."""
    if isinstance(value, Expr):
        return value
    if isinstance(value, (bool, int, float)):
        return Expr("constant", value=value)
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        return Expr("constant", value=value.item())
    raise TypeError(f"a scalar expression takes numbers and traced values, got {type(value).__name__}: {value!r}")


def cast(x: Any, dtype: Any) -> Expr:
    """The value converted to a dtype."""
    return Expr("cast", (constant(x),), np.dtype(dtype).char)


def apply(op: str, *args: Any) -> Expr:
    """The expression `op(*args)`, simplified where that changes no value (NaN and infinity included)."""
    if len(args) != OPS[op].arity:
        raise TypeError(f"{op} takes {OPS[op].arity} arguments, got {len(args)}")
    operands = tuple(constant(a) for a in args)
    simpler = SIMPLIFY.get(op, lambda *_: None)(*operands)
    return Expr(op, operands) if simpler is None else simpler


define_operators(Expr, apply)


def _is(x: Expr, value: float) -> bool:
    return x.op == "constant" and x.value == value and not isinstance(x.value, bool)


def _simplify_pow(a: Expr, b: Expr) -> Expr | None:
    if _is(b, 1):
        return a
    if _is(b, 2):
        return apply("square", a)
    return apply("multiply", a, apply("square", a)) if _is(b, 3) else None


SIMPLIFY: dict[str, Callable[..., Expr | None]] = {
    "add": lambda a, b: b if _is(a, 0) else a if _is(b, 0) else None,
    "subtract": lambda a, b: a if _is(b, 0) else None,
    "multiply": lambda a, b: b if _is(a, 1) else a if _is(b, 1) else None,
    "divide": lambda a, b: a if _is(b, 1) and a.op != "constant" else None,
    "negative": lambda a: a.args[0] if a.op == "negative" else None,
    "pow": _simplify_pow,
}


def _function(name: str) -> Callable[..., Expr]:
    return lambda *args: apply(name, *args)


# `exp(x)`, `where(c, a, b)` and so on, for whoever writes expressions
functions: dict[str, Callable[..., Expr]] = {name: _function(name) for name in OPS}

# NumPy calls `x.exp()`, `x.arctan()` for the elements of an array of objects
UNARY_METHODS = {name: name for name, op in OPS.items() if op.arity == 1}
UNARY_METHODS |= {numpy: name for numpy, name in UFUNC_NAMES.items() if OPS[name].arity == 1}
for _method, _name in UNARY_METHODS.items():
    setattr(Expr, _method, functions[_name])


def topological(outputs: Iterable[Expr]) -> list[Expr]:
    """Every node once, arguments before users, without recursion."""
    order: list[Expr] = []
    done: set[int] = set()
    work = [(x, False) for x in reversed(list(outputs))]
    while work:
        node, ready = work.pop()
        if ready:
            order.append(node)
        elif id(node) not in done:
            done.add(id(node))
            work.append((node, True))
            work.extend((a, False) for a in reversed(node.args))
    return order


class Step(NamedTuple):
    """One line of a program: an operation on the results of earlier lines."""

    op: str
    args: tuple[int, ...] = ()
    value: Any = None


@dataclass(frozen=True, eq=False)
class Program:
    """Expressions as a flat list: equal subexpressions once, inputs first. Equal programs compare and hash equal."""

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    input_count: int

    @cached_property
    def key(self) -> str:
        """A text that two programs share exactly when they compute the same steps."""
        return repr((self.steps, self.outputs, self.input_count))

    @cached_property
    def _hash(self) -> int:
        return hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Program) and self.key == other.key)


def program(outputs: Expr | Sequence[Expr], input_count: int) -> Program:
    """Flatten expressions over `input_count` inputs.

    >>> x, y = inputs(2)
    >>> program(x * y + x * y, 2).steps[2:]
    (Step(op='multiply', args=(0, 1), value=None), Step(op='add', args=(2, 2), value=None))
    """
    roots = [outputs] if isinstance(outputs, Expr) else [constant(x) for x in outputs]
    steps = [Step("input", (), i) for i in range(input_count)]
    position = {step: i for i, step in enumerate(steps)}
    where: dict[int, int] = {}
    for node in topological(roots):
        step = _step(node, tuple(where[id(a)] for a in node.args))
        if step not in position:
            position[step] = len(steps)
            steps.append(step)
        where[id(node)] = position[step]
    return Program(tuple(steps), tuple(where[id(root)] for root in roots), input_count)


def _step(node: Expr, args: tuple[int, ...]) -> Step:
    if node.op in COMMUTATIVE:
        args = tuple(sorted(args))
    value = node.value
    if node.op == "constant":  # 1, 1.0 and True compare equal, and so do 0.0 and -0.0; NaN equals nothing
        value = (type(value).__name__, value.hex() if isinstance(value, float) else value)
    return Step(node.op, args, value)


def constant_value(step: Step) -> Any:
    """The number that a step of kind "constant" stands for."""
    kind, value = step.value
    return float.fromhex(value) if kind == "float" else value


def step_dtypes(steps: Program, input_dtypes: Sequence[np.dtype]) -> list[np.dtype]:
    """The dtype of every step. Constants are weak: they take the dtype of the other arguments (NEP 50).

    What is made of constants alone, as in `where(x > 0, 0.1, 0.2)`, is as exact as the widest float input.
    """
    found: list[Any] = []
    for step in steps.steps:
        found.append(_step_dtype(step, [found[i] for i in step.args], input_dtypes))
    floats = [d for d in input_dtypes if d.kind == "f"]
    strong = {bool: np.dtype(bool), int: np.dtype(np.int64), float: np.result_type(*floats or [DEFAULT_FLOAT])}
    return [kind if isinstance(kind, np.dtype) else strong[kind] for kind in found]


def _step_dtype(step: Step, arguments: list[Any], input_dtypes: Sequence[np.dtype]) -> Any:
    if step.op == "input":
        return np.dtype(input_dtypes[step.value])
    if step.op == "constant":
        return type(constant_value(step))
    if step.op == "cast":
        return np.dtype(step.value)
    if OPS[step.op].result == "bool":
        return np.dtype(bool)
    kind = common_dtype(arguments[1:] if step.op == "where" else arguments)
    if not isinstance(kind, np.dtype):
        return kind
    if kind.kind in UNDEFINED.get(step.op, ""):
        raise TypeError(f"{step.op} is not defined for dtype {kind}; convert it with .astype first")
    return DEFAULT_FLOAT if step.op in FLOATING and kind.kind != "f" else kind


def common_dtype(kinds: Sequence[Any]) -> Any:
    """What dtypes and the Python types of weak constants combine to. A float dtype wins over every integer one."""
    strong = [k for k in kinds if isinstance(k, np.dtype)]
    weak = [k for k in kinds if not isinstance(k, np.dtype)]
    if not strong:
        return max(weak, key=(bool, int, float).index)
    floats = [k for k in strong if k.kind == "f"]
    if not floats and float in weak:
        return DEFAULT_FLOAT
    return np.result_type(*floats) if floats else np.result_type(*strong, *(k(1) for k in weak))


def substitute(outputs: Sequence[Expr], replace: dict[int, Expr]) -> list[Expr]:
    """The expressions with some nodes (by `id`) replaced by others."""
    new: dict[int, Expr] = {}
    for node in topological(outputs):
        if id(node) in replace:
            new[id(node)] = replace[id(node)]
        else:
            args = tuple(new[id(a)] for a in node.args)
            same = all(a is b for a, b in zip(args, node.args, strict=True))
            new[id(node)] = node if same else Expr(node.op, args, node.value)
    return [new[id(x)] for x in outputs]


SYMBOLS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "pow": "**", "remainder": "%", "floor_divide": "//",
    "less": "<", "less_equal": "<=", "greater": ">", "greater_equal": ">=", "equal": "==", "not_equal": "!=",
}  # fmt: skip


def to_text(x: Expr, limit: int = 2000) -> str:
    """The expression as one would write it; cut where it is longer than `limit` characters."""
    text: dict[int, str] = {}
    for node in topological([x]):
        text[id(node)] = _node_text(node, [text[id(a)] for a in node.args])[:limit]
    return text[id(x)]


def _node_text(node: Expr, args: list[str]) -> str:
    if node.op in ("input", "constant"):
        return f"x{node.value}" if node.op == "input" else repr(node.value)
    if node.op in SYMBOLS:
        return f"({args[0]} {SYMBOLS[node.op]} {args[1]})"
    name = np.dtype(node.value).name if node.op == "cast" else node.op
    return f"{name}({', '.join(args)})"
