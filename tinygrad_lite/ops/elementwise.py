"""Elementwise operations: a scalar expression applied at every position. Forward and backward are the same machinery.

The gradient of such an operation is the gradient of its expression, so it is an elementwise operation again. What it
must keep of the forward pass is what that expression mentions: inputs, the output, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from tinygrad_lite_kernels.expr import OPS, Expr, functions, inputs, program, substitute, topological

from ..autograd.graph import Node, output_tensor
from ..autograd.modes import mode
from ..devices import checked, tracing
from ..scalar.derivatives import gradient
from ..scalar.tracing import plain, signature, trace
from ..tensor import Tensor, wrap
from .movement import cast
from .primitive import Primitive, as_tensors
from .reduce import sum_to


class Partial:
    """The gradient of one input as an operation. arguments: "g", "y" or input numbers, in the operation's order."""

    def __init__(self, name: str, expression: Expr, places: dict[int, Any]):
        used = [n for n in topological([expression]) if n.op == "input"]
        self.arguments = [places[id(n)] for n in used]
        self.is_g = expression.op == "input" and self.arguments == ["g"]
        fresh = inputs(len(used))
        replaced = substitute([expression], {id(n): f for n, f in zip(used, fresh, strict=True)})[0]
        self.operation = None if self.is_g else Elementwise(name, replaced, len(used), registered=False)

    def __call__(self, g: Tensor, y: Tensor | None, saved: Sequence[Any]) -> Tensor:
        if self.operation is None:
            return g
        known = {"g": g, "y": y}
        return self.operation(*[known[a] if a in known else saved[a] for a in self.arguments])


class Elementwise(Primitive):
    """An operation from an expression over `count` inputs, which broadcast together. defaults: of the last ones."""

    defaults: Sequence[float] = ()

    def __init__(self, name: str, expression: Expr, count: int, registered: bool = True):
        self.name, self.expression, self.inputs, self.count = name, expression, count, count
        self.program = program(expression, count)
        self.view = False
        self._runs: dict[Any, Callable[..., Any]] = {}
        self._needed: dict[tuple[bool, ...], set[Any]] = {}
        if registered:
            super().__init__(name, self.forward, count)

    def forward(self, device: Any, *arrays: Any) -> Any:
        run = self._runs.get(device)
        if run is None or tracing.tracer is not None:
            run = self._kernel(device)
        try:
            return run(*arrays)
        except (ValueError, TypeError) as error:
            raise type(error)(str(error).replace("elementwise", self.name, 1)) from None

    def _kernel(self, device: Any) -> Callable[..., Any]:
        """The kernel on a device, or what stands for it while a function is traced, which is not kept."""
        run = device.elementwise.elementwise(self.program).one
        if tracing.tracer is None:
            self._runs[device] = run
        return run

    def __call__(self, *args: Any) -> Tensor:
        if len(args) != self.inputs:
            args = self._completed(args)
        device: Any = None
        arrays, requires = [], False
        for a in args:
            if type(a) is not Tensor or a._device is not device:
                if device is not None or type(a) is not Tensor:
                    return self._converted(args)
                device = a._device
            arrays.append(a._data)
            requires |= a.requires_grad or a._view
        result = wrap(self.forward(device, *arrays), device)
        if requires and mode.enabled and result._data.dtype.kind == "f":
            self._record(args, result)
        return result

    def _completed(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """With the defaults of what was left out."""
        missing = self.count - len(args)
        if not 0 < missing <= len(self.defaults):
            raise TypeError(f"{self.name} takes {self.count} arguments, got {len(args)}")
        return (*args, *self.defaults[-missing:])

    def _converted(self, args: Sequence[Any]) -> Tensor:
        """The call with numbers, arrays and subclasses of Tensor as plain tensors of one device."""
        tensors = as_tensors(self.name, args)
        result = wrap(self.forward(tensors[0]._device, *[t._data for t in tensors]), tensors[0]._device)
        if mode.enabled and any([t.requires_grad or t._view for t in tensors]) and result._data.dtype.kind == "f":
            self._record(tensors, result)
        return result

    def _record(self, args: Sequence[Tensor], result: Tensor) -> None:
        node = self.recorded(args, result)
        if node is not None:
            node.shapes = [(t._data.shape, t._data.dtype) for t in args]

    def apply(self, args: Sequence[Any], *params: Any) -> Tensor:
        return self(*args)

    @cached_property
    def partials(self) -> list[Partial | None]:
        """The gradient of each input, None where it is zero."""
        g, y, *xs = inputs(self.count + 2)
        root = substitute([self.expression], _numbered(self.expression, xs))[0]
        grads = gradient([root], [g], xs)
        places: dict[int, Any] = {id(g): "g", id(y): "y"} | {id(x): i for i, x in enumerate(xs)}
        return [_partial(f"{self.name} gradient {i}", d, root, y, places) for i, d in enumerate(grads)]

    def needed(self, without: Sequence[bool]) -> set[Any]:
        partials = zip(without, self.partials, strict=True)
        return {a for no, p in partials if p and not no for a in p.arguments if a != "g"}

    def backward(self, node: Node, gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
        g = gradients[0]
        y = None if node.output is None else output_tensor(node)
        assert g is not None
        return [
            None if e is None or p is None else _fitted(p(g, y, node.saved), *kind)
            for e, p, kind in zip(node.edges, self.partials, node.shapes, strict=True)
        ]


def _fitted(gradient: Tensor, shape: tuple[int, ...], dtype: Any) -> Tensor:
    """The gradient of an input that was broadcast or converted, as one of the input itself."""
    gradient = sum_to(gradient, shape)
    return gradient if gradient._data.dtype == dtype else cast(gradient, dtype)


def _numbered(expression: Expr, xs: Sequence[Expr]) -> dict[int, Expr]:
    return {id(n): xs[n.value] for n in topological([expression]) if n.op == "input"}


def _partial(name: str, d: Expr | None, root: Expr, y: Expr, places: dict[int, Any]) -> Partial | None:
    """Where the gradient mentions the output, use the kept output instead of computing it again."""
    if d is None:
        return None
    if root.op not in ("input", "constant") and any(n is root for n in topological([d])):
        d = substitute([d], {id(root): y})[0]
    return Partial(name, d, places)


def elementwise(function: Callable[..., Any]) -> Elementwise:
    """Make a tensor operation from a scalar Python function: fused into one kernel, with gradients of any order.

    function: of scalars, in operators and the functions of `tinygrad_lite.scalar` (or NumPy's); it is traced once.
    Arguments with a number as default may be left out. Raises TypeError where the function uses Python's `if` on a
    value, or a function that has no derivative here.

    >>> import tinygrad_lite as tg
    >>> @tg.elementwise
    ... def swish(x):
    ...     return x * tg.scalar.sigmoid(x)
    >>> swish(tg.tensor([0.0, 1.0]))
    Tensor([0.       , 0.7310586])
    """
    function = plain(function)
    name = getattr(function, "__name__", "function")
    parameters = signature(function).parameters.values()
    if not parameters:
        raise TypeError(f"elementwise: {name} takes no arguments; it must take one for each tensor")
    result = trace(function, inputs(len(parameters)))
    if isinstance(result, tuple):
        raise TypeError(f"elementwise: {name} returned {len(result)} values; it must return one")
    operation = Elementwise(name, result, len(parameters), registered=False)
    operation.defaults = [p.default for p in parameters if p.default is not p.empty]
    return operation


class Power(Elementwise):
    """x1 ** x2. An integer with a negative exponent is no integer: ValueError, unless one of them is a float."""

    def forward(self, device: Any, base: Any, exponent: Any) -> Any:  # type: ignore[override]
        if base.dtype.kind != "f" and exponent.dtype.kind == "i":
            checked(self.name, device, _NOT_NEGATIVE, _check_exponents, exponent)
        return super().forward(device, base, exponent)


_NOT_NEGATIVE = program(inputs(1)[0] >= 0, 1)


def _check_exponents(exponents: Any) -> None:
    if exponents.size and exponents.min() < 0:
        raise ValueError("pow: integers cannot have negative integer exponents; convert the base to floats first")


OPERATIONS: dict[str, Elementwise] = {}
for _name, _op in OPS.items():
    _xs = inputs(_op.arity)
    OPERATIONS[_name] = (Power if _name == "pow" else Elementwise)(_name, functions[_name](*_xs), _op.arity)
