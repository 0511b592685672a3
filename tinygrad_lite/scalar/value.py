"""Numbers that remember how they were computed: the scalar engine.

A `Value` keeps its parents and, as floats, the derivative of itself with respect to each of them. The code of every
operation is printed once from the derivative table, so there is no second copy of a rule. There are no closures and no
reference cycles: a graph is freed as soon as its result is, however deep it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_lite_kernels.expr import COMPARISONS, OPERATORS, OPS, UNARY_OPERATORS, Expr, constant, functions, inputs

from .derivatives import RULES
from .numbers import NUMBERS, evaluate, source


class Value:
    """A number that can be differentiated.

    >>> x, y = Value(2.0), Value(3.0)
    >>> z = x * y + x**2
    >>> z.backward()
    >>> z.data, x.grad, y.grad
    (10.0, 7.0, 2.0)
    """

    __slots__ = ("__weakref__", "_a", "_b", "_da", "_db", "_uses", "data", "grad", "op")

    def __init__(self, data: float):
        if data.__class__ is Value:
            data = data.data  # type: ignore[attr-defined]
        self.data: Any = _number(data)
        self.grad: Any = 0.0
        self.op = ""
        self._a: Value | None = None
        self._b: Value | None = None
        self._da: Any = 0.0
        self._db: Any = 0.0
        self._uses = 0

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __repr__(self) -> str:
        grad = self.grad.data if isinstance(self.grad, Value) else self.grad
        return f"Value(data={self.data}, grad={grad})"

    __hash__ = object.__hash__

    @property
    def parents(self) -> tuple[Value, ...]:
        """The values that this one was computed from."""
        return tuple(p for p in (self._a, self._b) if p is not None)

    def backward(self, create_graph: bool = False) -> None:
        """Add the derivative of this value to the `.grad` of every leaf it was computed from.

        Values in between get their derivative of this sweep. With create_graph=True gradients are Values themselves,
        which can be differentiated again.
        """
        order = _count_uses(self)
        if create_graph:
            _sweep_symbolic(self, order)
        else:
            _sweep(self)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = 0.0

    def __float__(self) -> float:
        return float(self.data)

    def __pos__(self) -> Value:
        return self


def _number(data: Any) -> float:
    if isinstance(data, (str, bytes)) or not hasattr(data, "__float__"):
        raise TypeError(f"Value: takes a number, got {type(data).__name__}: {data!r}")
    return float(data)


def as_value(x: Any) -> Value:
    """The argument as a Value."""
    return x if x.__class__ is Value else Value(x)


def _count_uses(root: Value) -> list[Value]:
    """How often each value is used on the way to the root. Every value is listed once, users before or after."""
    order = [root]
    for v in order:
        for p in (v._a, v._b):
            if p is not None:
                if not p._uses:
                    order.append(p)
                    if p._a is not None:
                        p.grad = 0.0
                p._uses += 1
    return order


def _sweep(root: Value) -> None:
    """A value hands its gradient on once all of its users have handed theirs to it."""
    root.grad = 1.0
    ready = [root]
    pop, append = ready.pop, ready.append
    while ready:
        v = pop()
        g = v.grad
        p = v._a
        if p is not None:
            p.grad += v._da * g
            p._uses -= 1
            if not p._uses and p._a is not None:
                append(p)
            p = v._b
            if p is not None:
                p.grad += v._db * g
                p._uses -= 1
                if not p._uses and p._a is not None:
                    append(p)


def _sweep_symbolic(root: Value, order: Sequence[Value]) -> None:
    """The same with gradients that are Values, by evaluating the rules on Values."""
    root.grad = Value(1.0)
    ready = [root]
    while ready:
        v = ready.pop()
        if v._a is None:
            continue
        for parent, part in zip(v.parents, _contributions(v), strict=True):
            if part is not None:
                parent.grad = part + parent.grad if parent.grad.__class__ is Value or parent.grad else part
            parent._uses -= 1
            if not parent._uses:
                ready.append(parent)


def _contributions(v: Value) -> list[Value | None]:
    g, y, xs, parts = _symbolic(v.op)
    known = {id(g): as_value(v.grad), id(y): v} | {id(x): p for x, p in zip(xs, v.parents, strict=True)}
    return [None if part is None else as_value(evaluate(part, known, call)) for part in parts]


def _symbolic(op: str) -> tuple[Expr, Expr, list[Expr], Sequence[Expr | None]]:
    """The rule of an operation as expressions of g, y and its inputs."""
    g, y, *xs = inputs(OPS[op].arity + 2)
    rule = RULES.get(op)
    return g, y, xs, rule(g, y, *xs) if rule else [None] * len(xs)


def derivative(y: Value, xs: Sequence[Value], create_graph: bool = False) -> list[Any]:
    """dy/dx for each x, as floats, or as Values with create_graph=True. No `.grad` is changed.

    >>> x = Value(3.0)
    >>> first, = derivative(x**3, [x], create_graph=True)
    >>> derivative(first, [x])
    [18.0]
    """
    order = _count_uses(y)
    kept = [v.grad for v in order]
    for v in order:
        v.grad = 0.0
    _sweep_symbolic(y, order) if create_graph else _sweep(y)
    found = [x.grad for x in xs] if {id(x) for x in xs} <= {id(v) for v in order} else _found(xs, order)
    for v, grad in zip(order, kept, strict=True):
        v.grad = grad
    return [as_value(g) if create_graph else float(g) for g in found]


def _found(xs: Sequence[Value], order: Sequence[Value]) -> list[Any]:
    reached = {id(v) for v in order}
    return [x.grad if id(x) in reached else 0.0 for x in xs]


# ---- operations: one printed function each ----

_TEMPLATE = """
def {name}({parameters}):
    {convert}
    {read}
    v = new(Value)
    v.data = y = {forward}
    v.grad = 0.0
    v.op = {name!r}
    v._a = a
    v._b = {b}
    v._da = {da}
    v._db = {db}
    v._uses = 0
    return v
"""
_CONVERT = "if {0}.__class__ is not Value: {0} = as_value({0})"


def _printed(name: str) -> Callable[..., Value]:
    """The operation on Values, from its entry in the derivative table."""
    arity = OPS[name].arity
    _, y, xs, _ = _symbolic(name)
    rule = RULES.get(name)
    parts = rule(constant(1.0), y, *xs) if rule else [None] * arity
    names = {id(y): "y"} | {id(x): f"x{i}" for i, x in enumerate(xs)}
    partials = ["0.0" if p is None else source(p, names) for p in parts]
    text = _TEMPLATE.format(
        name=name,
        parameters=", ".join("ab"[:arity]),
        convert="; ".join(_CONVERT.format(p) for p in "a"[:1])
        + ("\n    " + _CONVERT.format("b") if arity == 2 else ""),
        read="; ".join(f"x{i} = {p}.data" for i, p in enumerate("ab"[:arity])),
        forward=source(functions[name](*xs), names),
        b="b" if arity == 2 else "None",
        da=partials[0],
        db=partials[1] if arity == 2 else "0.0",
    )
    scope: dict[str, Any] = {"Value": Value, "new": Value.__new__, "as_value": as_value, "NUMBERS": NUMBERS}
    exec(text, scope)
    return scope[name]


OPERATIONS: dict[str, Callable[..., Any]] = {
    name: _printed(name) for name, op in OPS.items() if name in NUMBERS and op.result == "same" and name != "where"
}


def _where(condition: Any, a: Any, b: Any) -> Value:
    """Numbers are concrete, so the chosen value itself."""
    return as_value(a if _data(condition) else b)


def _data(x: Any) -> Any:
    return x.data if x.__class__ is Value else x


def call(name: str, *args: Any) -> Any:
    """An operation by name on Values and numbers; comparisons give Python's truth values."""
    operation = OPERATIONS.get(name)
    if operation is not None:
        return operation(*args)
    return _where(*args) if name == "where" else NUMBERS[name](*(_data(a) for a in args))


def _swapped(operation: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a, b: operation(b, a)


def _comparison(name: str) -> Callable[..., bool]:
    compare = NUMBERS[name]
    return lambda a, b: compare(a.data, _data(b))


for _python, _name in OPERATORS.items():
    if _name in OPERATIONS:
        setattr(Value, f"__{_python}__", OPERATIONS[_name])
        setattr(Value, f"__r{_python}__", _swapped(OPERATIONS[_name]))
for _python, _name in UNARY_OPERATORS.items():
    if _name in OPERATIONS:
        setattr(Value, f"__{_python}__", OPERATIONS[_name])
for _python, _name in COMPARISONS.items():
    if _python not in ("eq", "ne"):  # equality stays identity, so that Values can be members of sets
        setattr(Value, f"__{_python}__", _comparison(_name))
for _name in OPERATIONS:
    setattr(Value, _name, OPERATIONS[_name])
