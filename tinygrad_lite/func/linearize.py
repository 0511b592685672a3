"""A function at a point: its value, and the linear map that pulls gradients of the value back to the arguments.

The arguments are replaced by new tensors ("variables") at the edge of the graph that the function records, so that
only what happens inside the function is differentiated, at every level of nesting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..autograd.graph import check_fresh, edge, now
from ..autograd.modes import enable_grad, is_grad_enabled, set_grad_enabled
from ..autograd.sweep import arriving
from ..ops.movement import copy, detach, reshape_view
from ..ops.primitive import as_tensors
from ..tensor import Tensor, wrap
from .tree import flatten

ArgNums = int | Sequence[int] | None


class _Variable(Tensor):
    """What a function is differentiated by, while that function runs."""

    active = True


class Linearized:
    """`f(*args)`, linear in small changes of the arguments numbered `argnums` (None: of all of them).

    points: the tensors in those arguments. outputs: the tensors in the result. connected: whether the result
    depends on tensors outside that require gradients, so that its derivatives have to be recorded too.
    """

    def __init__(self, name: str, f: Callable[..., Any], args: Sequence[Any], argnums: ArgNums, has_aux: bool = False):
        self.name = name
        numbers = _numbers(name, argnums, len(args))
        leaves, put_back = flatten([args[n] for n in numbers])
        self.points = [_point(name, x) for x in leaves]
        self.variables, own = _variables(self.points)
        self.since = now()
        branches = dict(zip(numbers, put_back(self.variables), strict=True))
        self._arguments = put_back, _is_one(argnums)
        try:
            with enable_grad():
                result = f(*[branches.get(i, a) for i, a in enumerate(args)])
        finally:
            for variable in own:
                variable.active = False
        result, aux = _split_aux(name, result) if has_aux else (result, None)
        self._outputs, self.rebuild = flatten(result)
        _check_outputs(name, self._outputs)
        self.connected = is_grad_enabled() and _reaches_active([*self._outputs, *flatten(aux)[0]])
        self.outputs = [self._visible(y) for y in self._outputs]
        aux_leaves, aux_rebuild = flatten(aux)
        self.aux = aux_rebuild([self._visible(a) for a in aux_leaves])

    def _visible(self, x: Any) -> Any:
        return detach(x) if isinstance(x, Tensor) and x.requires_grad and not self.connected else x

    @property
    def value(self) -> Any:
        """What the function returned."""
        return self.rebuild(self.outputs)

    def arguments(self, values: Sequence[Any]) -> Any:
        """Values for the variables, nested as the arguments are; no tuple around them where argnums is one number."""
        put_back, single = self._arguments
        return put_back(values)[0] if single else tuple(put_back(values))

    def pull(self, gradients: Sequence[Tensor | None], retain_graph: bool = True) -> list[Tensor]:
        """The gradients of sum(gradient * output) by the variables: the transposed Jacobian times the gradients.

        None is a gradient of zero that is not even computed.
        """
        pairs = [(y, g) for y, g in zip(self._outputs, gradients, strict=True) if g is not None and y.requires_grad]
        create = is_grad_enabled() and (self.connected or any(g.requires_grad for _, g in pairs))
        arrived = arriving([y for y, _ in pairs], [g for _, g in pairs], self.since, retain_graph or create, create)
        found = [arrived(edge(x)) for x in self.variables]
        with set_grad_enabled(create):
            return _owned([zeros_like(x) if d is None else d for x, d in zip(self.points, found, strict=True)], pairs)

    def push(self) -> Callable[[Sequence[Tensor]], list[Tensor]]:
        """Tangents of the arguments to tangents of the outputs: the Jacobian times the tangents.

        `pull` is linear in the gradients, so its own transposed Jacobian, at any point, is the Jacobian of the
        function ("double backward trick", J. Townsend, 2017). Second derivatives come from the same rules.
        """
        transposed = Linearized(self.name, self.pull, [[zeros_like(y) for y in self._outputs]], 0)
        return transposed.pull


def zeros_like(x: Tensor) -> Tensor:
    """Zeros of the same shape, dtype and device."""
    return wrap(np.zeros(x.shape, x.dtype), x._device)


def like(name: str, what: str, values: Any, pattern: Sequence[Tensor]) -> list[Tensor]:
    """Values nested in any way as tensors that agree one by one with a pattern; ValueError where they do not."""
    leaves = flatten(values)[0]
    if len(leaves) != len(pattern):
        raise ValueError(f"{name}: {len(pattern)} {what}s are needed, got {len(leaves)}")
    return [_like(name, what, x, p) for x, p in zip(leaves, pattern, strict=True)]


def _like(name: str, what: str, x: Any, pattern: Tensor) -> Tensor:
    if not isinstance(x, Tensor):
        x = Tensor(x, pattern.dtype, pattern._device)
    if x.shape != pattern.shape or x.dtype != pattern.dtype:
        raise ValueError(
            f"{name}: a {what} has shape {x.shape} and dtype {x.dtype}; it must have shape {pattern.shape} and dtype "
            f"{pattern.dtype}, as what it belongs to"
        )
    return x


def _numbers(name: str, argnums: ArgNums, count: int) -> list[int]:
    """The arguments that are meant, counted from 0."""
    wanted = range(count) if argnums is None else [argnums] if _is_one(argnums) else argnums
    try:
        found = [range(count)[n] for n in wanted]  # type: ignore[union-attr,index]
    except (IndexError, TypeError):
        raise ValueError(f"{name}: argnums is {argnums!r}, the function was called with {count} arguments") from None
    if len(set(found)) < len(found):
        raise ValueError(f"{name}: argnums names an argument twice: {argnums!r}")
    return found


def _is_one(argnums: ArgNums) -> bool:
    return argnums is not None and not isinstance(argnums, (tuple, list, range))


def _point(name: str, x: Any) -> Tensor:
    (x,) = as_tensors(name, [x])
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name}: only float32 and float64 tensors can be differentiated by, got {x.dtype}; convert it with "
            ".astype(tg.float32), or name other arguments in argnums"
        )
    if is_grad_enabled():
        check_fresh(x, name)
    return x


def _variables(points: Sequence[Tensor]) -> tuple[list[Tensor], list[_Variable]]:
    """New tensors with the values of the points, in their place in the graph where they have one."""
    own: list[_Variable] = []
    variables = []
    for x in points:
        base = x
        if not (x.requires_grad and is_grad_enabled()):
            base = _Variable.__new__(_Variable)
            base.__dict__.update(detach(x).__dict__, requires_grad=True)
            own.append(base)
        with enable_grad():
            variables.append(reshape_view.apply([base], base.shape))
    return variables, own


def _reaches_active(tensors: Iterable[Any]) -> bool:
    """Whether a gradient could flow to a leaf that is not a variable of a function that has finished."""
    work = [edge(t) for t in tensors if isinstance(t, Tensor)]
    seen: set[int] = set()
    while work:
        target = work.pop()
        if isinstance(target, Tensor):
            if not isinstance(target, _Variable) or target.active:
                return True
        elif target is not None and id(target[0]) not in seen:
            seen.add(id(target[0]))
            work.extend(target[0].edges)
    return False


def _split_aux(name: str, result: Any) -> tuple[Any, Any]:
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(f"{name}: with has_aux=True the function must return a pair (output, aux), got {result!r}")
    return result


def _check_outputs(name: str, outputs: Sequence[Any]) -> None:
    for y in outputs:
        if not isinstance(y, Tensor) or y.dtype.kind != "f":
            kind = f"a tensor of {y.dtype}" if isinstance(y, Tensor) else type(y).__name__
            raise TypeError(
                f"{name}: the function must return float tensors, got {kind}; return other things through has_aux=True"
            )


def _owned(gradients: list[Tensor], pairs: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """The gradients, with copies of those that share memory with another, with an incoming one, or that are views."""
    given = {id(g._data) for _, g in pairs}
    owned = []
    for d in gradients:
        data = d._data
        shared = data.base is not None or id(data) in given or not data.flags.writeable
        given.add(id(data))
        owned.append(copy(d) if shared else d)
    return owned
