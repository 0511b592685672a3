"""What an operation is: a computation on arrays, and a rule for its gradient that is written in tensor operations.

Because rules use tensor operations they can be recorded themselves, so gradients of any order need no further code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Expr

from .. import devices, dtypes
from ..autograd.graph import Node, Spec, check_fresh, output_tensor, version_cell
from ..autograd.modes import mode
from ..devices import tracing
from ..tensor import Tensor, alias, wrap

REGISTRY: dict[str, Primitive] = {}


class Primitive:
    """An operation by name.

    forward(device, *arrays, *params) -> array computes it.
    rules[i](g, y, *inputs, *params) -> tensor or None is the gradient of input i, given that of the output. `y` and the
    inputs are tensors where `needs[i]` lists them ("y", or an input's number), else only their shape, dtype and device.
    view: the result shares memory with the first input.
    """

    rules: Sequence[Callable[..., Tensor | None]] = ()
    needs: Sequence[tuple[Any, ...]] = ()
    variadic_rule: Callable[..., list[Tensor | None]] | None = None

    def __init__(self, name: str, forward: Callable[..., np.ndarray], inputs: int | None = 1, view: bool = False):
        self.name, self.forward, self.inputs, self.view = name, forward, inputs, view
        self._needed: dict[tuple[bool, ...], set[Any]] = {}
        REGISTRY[name] = self

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def __call__(self, *args: Any) -> Tensor:
        """Apply to tensors (Python numbers and arrays become tensors), followed by the operation's parameters."""
        count = len(args) if self.inputs is None else self.inputs
        return self.apply(args[:count], *args[count:])

    def apply(self, args: Sequence[Any], *params: Any) -> Tensor:
        tensors = as_tensors(self.name, args)
        device = tensors[0]._device
        result = wrap(self.forward(device, *[t._data for t in tensors], *params), device)
        if self.view:
            _share_versions(result, tensors[0])
        if mode.enabled and any([t.requires_grad or t._view for t in tensors]) and result._data.dtype.kind == "f":
            record(self, tensors, result, params)
        return result

    def output_count(self, node: Node) -> int:
        return 1

    def recorded(self, tensors: Sequence[Tensor], result: Tensor, params: tuple[Any, ...] = ()) -> Node | None:
        """Make `result` the output of a node whose edges lead to the inputs that require gradients, if there are any.

        Quick: this is most of what an eager operation on small tensors costs.
        """
        edges: list[Any] = []
        for t in tensors:
            edges.append(None if not t.requires_grad else t if t._node is None else (t._node, t._index))
            if t._cell is not None:
                check_fresh(t, self.name)
        without = tuple([e is None for e in edges])
        if all(without):
            return None
        needed = self._needed.get(without)
        if needed is None:
            needed = self._needed[without] = self.needed(without)
        node = Node(self, edges, None, params)
        node.saved = keep(node, tensors, result, needed) if needed else ()
        result.requires_grad, result._node = True, node
        return node

    def needed(self, without: Sequence[bool]) -> set[Any]:
        """Which values the rules will ask for, given which inputs get no gradient."""
        return {what for no, needs in zip(without, self.needs, strict=False) if not no for what in needs}

    def backward(self, node: Node, gradients: Sequence[Tensor | None]) -> Sequence[Tensor | None]:
        """The gradients of the inputs, one for each edge."""
        g = gradients[0]
        y = output_tensor(node) if node.output is not None else None
        if self.variadic_rule is not None:
            return self.variadic_rule(node.edges, g, y, node.saved, *node.params)
        return [
            None if e is None else rule(g, y, *node.saved, *node.params)
            for rule, e in zip(self.rules, node.edges, strict=True)
        ]


def record(primitive: Primitive, tensors: Sequence[Tensor], result: Tensor, params: tuple[Any, ...]) -> None:
    """Note how `result` came about; of inputs whose values no rule asks for, shape, dtype and device."""
    node = primitive.recorded(tensors, result, params)
    if node is not None:
        kept = node.saved or [None] * len(tensors)
        node.saved = [Spec(t._data.shape, t._data.dtype, t._device) if k is None else k
                      for t, k in zip(tensors, kept, strict=True)]  # fmt: skip


def keep(node: Node, tensors: Sequence[Tensor], result: Tensor, needed: set[Any]) -> list[Tensor | None]:
    """The inputs that rules will read, None for the others; their versions go to the node, and so does the output."""
    versions = node.versions = []
    saved: list[Tensor | None] = []
    for i, t in enumerate(tensors):
        if i in needed:
            cell = version_cell(t)
            versions.append((cell, cell[0], i))
            saved.append(t)
        else:
            saved.append(None)
    if "y" in needed:
        cell = version_cell(result)
        versions.append((cell, cell[0], "y"))
        node.output = result._data, result._device
    return saved


def _share_versions(view: Tensor, base: Tensor) -> None:
    view._view, view._cell = True, version_cell(base)
    view._born = view._cell[0]


def as_tensors(name: str, args: Sequence[Any]) -> Sequence[Tensor]:
    """The arguments as tensors on one device; Python numbers take the widest dtype of the tensors (NEP 50)."""
    first: Tensor | None = None
    plain = True
    for a in args:
        if isinstance(a, Tensor):
            if first is None:
                first = a
            elif a._device is not first._device:
                raise ValueError(
                    f"{name}: tensors are on different devices, {first.device} and {a.device}; "
                    "move one with .to(device)"
                )
            elif a._data.dtype is not first._data.dtype and _width(a) > _width(first):
                first = a
        else:
            plain = False
    return args if plain else [_as_tensor(name, a, first, i) for i, a in enumerate(args)]


def _width(x: Tensor) -> tuple[int, int]:
    return "buif".index(x.dtype.kind), x.dtype.itemsize


_numbers: dict[Any, Tensor] = {}


def _as_tensor(name: str, value: Any, partner: Tensor | None, position: int) -> Tensor:
    if isinstance(value, Tensor):
        return value
    device = partner._device if partner is not None else None
    if isinstance(value, (bool, int, float)):
        return number(value, partner)
    if isinstance(value, Expr):
        raise TypeError(f"{name}: argument {position} is a traced value; its functions are in tinygrad_lite.scalar")
    try:
        return Tensor(value, device=device)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: argument {position} is not a tensor or a number: {error}") from None


def number(value: bool | int | float, partner: Tensor | None) -> Tensor:
    """A Python number as a 0-d tensor in the dtype that it takes beside `partner`. Never written to, so shared."""
    like, device = (partner._data.dtype, partner._device) if partner is not None else (None, devices.get())
    sign = math.copysign(1, value) if value == 0 else 0  # 0.0 and -0.0 are equal, but not the same number
    key = value, type(value), sign, like, device
    tensor = _numbers.get(key)
    if tensor is None:
        dtype = dtypes.as_dtype(type(value)) if like is None else dtypes.weak(value, like)
        try:
            data = np.array(value, dtype)
        except OverflowError:
            raise OverflowError(f"{value} does not fit into {dtype}; use a wider dtype") from None
        if len(_numbers) > 1024:
            _numbers.clear()
        tensor = _numbers[key] = Tensor(data, dtype, device)
    if tracing.tracer is not None:
        tracing.tracer.made(tensor._data)
    return tensor


def in_place(target: Tensor, compute: Callable[[Tensor], Tensor], name: str) -> Tensor:
    """Replace the values of `target` by those of `compute(target)`, in its own memory; the change is recorded."""
    before = alias(target)
    result = compute(before)
    check_fits(target, result, name)
    check_in_place(target, result.requires_grad, name)
    if result._data is not target._data:
        target._device.movement.copy_into(target._data, result._data)
    adopt(target, result)
    return target


def check_fits(target: Tensor, result: Tensor, name: str) -> None:
    """TypeError where the result of a change in place has another dtype or shape than the tensor."""
    if result._data.dtype != target._data.dtype or result.shape != target.shape:
        raise TypeError(
            f"{name}: the result has dtype {result.dtype} and shape {result.shape}, which does not fit in place into "
            f"a tensor of dtype {target.dtype} and shape {target.shape}"
        )


def check_in_place(target: Tensor, recorded: bool, name: str) -> None:
    """RuntimeError or ValueError where a change in place would make gradients wrong."""
    if not target._data.flags.writeable:
        raise ValueError(f"{name}: the tensor's memory is read-only (it may repeat elements); use a copy")
    if not mode.enabled:
        return
    if target.requires_grad and target._node is None:
        raise RuntimeError(
            f"{name}: a leaf tensor that requires a gradient cannot be changed in place while operations are recorded; "
            "do it inside tg.no_grad(), or make a new tensor"
        )
    if recorded and target._view:
        raise RuntimeError(
            f"{name}: changing a view in place is not recorded; write to the base instead: base[index] = value"
        )


def adopt(target: Tensor, result: Tensor) -> None:
    """After a change in place: new version, and the history of the result."""
    cell = version_cell(target)
    cell[0] += 1
    if tracing.tracer is not None:
        tracing.tracer.changed(cell)
    if result.requires_grad:
        cell[1] = cell[0]
        target.requires_grad, target._node, target._index = True, result._node, result._index
    target._born = cell[0]
