"""Numbers that remember how they were computed: the scalar engine.

A `Value` keeps its one or two parents and, as floats, the derivative of itself with respect to each of them. The code
of every operation is printed from the derivative table, so there is no second copy of a rule. There are no closures and
no reference cycles: a graph is freed as soon as its result is, however deep it is.

Time goes into Python's own steps and into its garbage collector, which visits every slot of every Value. Hence one
object a node, few slots, and two loops that are written out for both parents.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tinygrad_lite_kernels.expr import COMPARISONS, OPERATORS, OPS, UNARY_METHODS, UNARY_OPERATORS

from .numbers import NUMBERS, evaluate
from .operation import printed, symbolic


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
        self.data: Any = data if data.__class__ is float else _number(data)
        self.grad: Any = 0.0
        self.op = ""
        self._a: Any = None
        self._b: Any = None
        self._uses = 0

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Value: ...
        def __mul__(self, other: Any) -> Value: ...

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
        which can be differentiated again; they refer to the graph, so set them to 0.0 when done.
        """
        _backward(self, create_graph)

    def zero_grad(self) -> None:
        """Forget the gradient."""
        self.grad = 0.0

    def __float__(self) -> float:
        return float(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def __pos__(self) -> Value:
        return self


def _number(data: Any) -> float:
    try:
        if not isinstance(data, (str, bytes)):
            return float(data)
    except TypeError:
        pass
    raise TypeError(f"Value: takes a number, got {type(data).__name__}: {data!r}")


def as_value(x: Any) -> Value:
    """The argument as a Value."""
    return x if x.__class__ is Value else Value(x)


def _backward(root: Value, create_graph: bool) -> None:
    """Give the root its gradient and let it flow down to the leaves."""
    one = Value(1.0) if create_graph else 1.0
    root.grad = one if root._a is not None else one + root.grad
    order = [root] if root._a is not None else []
    try:
        _count_uses(order)
        (_sweep_symbolic if create_graph else _sweep)(order[:1])
    except BaseException:  # an interrupted sweep must not disturb the next one
        for v in order:
            v._uses = 0
        raise


def _count_uses(order: list[Value]) -> None:
    """From [root], list every computed value on the way to it once and count its uses there. Leaves are left alone."""
    append = order.append
    for v in order:
        p = v._a
        if p._uses:
            p._uses += 1
        elif p._a is not None:
            append(p)
            p._uses = 1
            p.grad = 0.0
        p = v._b
        if p is not None:
            if p._uses:
                p._uses += 1
            elif p._a is not None:
                append(p)
                p._uses = 1
                p.grad = 0.0


def _sweep(ready: list[Value]) -> None:
    """A value hands its gradient on once all of its users have handed theirs to it."""
    append = ready.append
    for v in ready:
        g = v.grad
        p = v._a
        p.grad += v._da * g
        if p._uses == 1:
            p._uses = 0
            append(p)
        elif p._uses:
            p._uses -= 1
        p = v._b
        if p is not None:
            p.grad += v._db * g
            if p._uses == 1:
                p._uses = 0
                append(p)
            elif p._uses:
                p._uses -= 1


def _sweep_symbolic(ready: list[Value]) -> None:
    """The same with gradients that are Values, by evaluating the rules on Values."""
    for v in ready:
        for p, part in zip(v.parents, _contributions(v), strict=True):
            if part is not None:
                p.grad = part + p.grad if p.grad.__class__ is Value or p.grad else part
            if p._uses == 1:
                ready.append(p)
            p._uses = max(0, p._uses - 1)


def _contributions(v: Value) -> list[Value | None]:
    g, y, xs, parts = symbolic(v.op)
    known = {id(g): as_value(v.grad), id(y): v} | {id(x): p for x, p in zip(xs, v.parents, strict=True)}
    return [None if part is None else as_value(evaluate(part, known, call)) for part in parts]


def derivative(y: Value, xs: Sequence[Value], create_graph: bool = False) -> list[Any]:
    """dy/dx for each x, as floats, or as Values with create_graph=True. No `.grad` is changed.

    Numbers that y does not depend on have the derivative 0.

    >>> x = Value(3.0)
    >>> first, = derivative(x**3, [x], create_graph=True)
    >>> derivative(first, [x])
    [18.0]
    """
    for v in (y, *xs):
        if v.__class__ is not Value:
            raise TypeError(f"derivative: takes a Value and a list of Values, got {type(v).__name__}: {v!r}")
    kept = _cleared(y)
    try:
        _backward(y, create_graph)
        found = [x.grad if x in kept else 0.0 for x in xs]
    finally:
        for v, grad in kept.items():
            v.grad = grad
    return [as_value(g) if create_graph else float(g) for g in found]


def _cleared(root: Value) -> dict[Value, Any]:
    """Set every gradient on the way to the root to 0.0. Returns what they were."""
    kept: dict[Value, Any] = {}
    work = [root]
    for v in work:
        if v not in kept:
            kept[v], v.grad = v.grad, 0.0
            work.extend(v.parents)
    return kept


# ---- operations ----

_RECORDED = [name for name, op in OPS.items() if name in NUMBERS and op.result == "same" and name != "where"]
OPERATIONS: dict[str, Callable[..., Any]] = {name: printed(name, Value) for name in _RECORDED}

_POWER, _SQUARE = OPERATIONS["pow"], OPERATIONS["square"]
_POWER_OF_A_NUMBER = printed("pow", Value, constants=[1])


def _pow(a: Any, b: Any) -> Value:
    """A number as exponent needs no derivative (nor a logarithm), and x**2 is a product."""
    if b.__class__ is Value:
        return _POWER(a, b)
    b = Value(b)
    return _SQUARE(a) if b.data == 2 else _POWER_OF_A_NUMBER(a, b)


OPERATIONS["pow"] = _pow


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
for _method, _name in {**{name: name for name in OPERATIONS}, **UNARY_METHODS}.items():
    if _name in OPERATIONS:
        setattr(Value, _method, OPERATIONS[_name])
