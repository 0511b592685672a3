"""Optimizers: an update rule is a scalar expression, applied at every position of a parameter in one compiled pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from operator import is_
from typing import Any

import numpy as np
from tinygrad_lite_kernels.expr import Program

from ..autograd.graph import version_cell
from ..devices import tracing
from ..nn.parameter import clear_grad
from ..tensor import Tensor, wrap
from . import state as states

Group = dict[str, Any]


class Optimizer:
    """Base of the optimizers. A subclass says what its rule is; this class holds groups and state, and runs the rule.

    params: tensors, or dicts {"params": tensors, option: value} for groups with options of their own.
    `param_groups` may be changed at any time (`group["lr"] = 0.1`): the kernel is given the numbers at each step.

    A subclass defines three methods of an option group:
    slots(group): names of the arrays that it keeps for each parameter (they start with zeros).
    program(group): from (parameter, gradient, *slots, *numbers) to the new (parameter, *slots).
    numbers(group, step): the numbers, for the step of that number (from 1).
    """

    def __init__(self, params: Any, defaults: Mapping[str, Any]):
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self._launches: dict[Tensor, _Launch] = {}
        self._numbers: dict[Any, tuple[np.ndarray, list[np.ndarray]]] = {}
        self.revision = 0  # of groups and states: a plan made for another one does not fit
        for group in _as_groups(type(self).__name__, params):
            self.add_param_group(group)

    def slots(self, group: Group) -> tuple[str, ...]:
        """Names of the arrays kept for each parameter."""
        raise NotImplementedError(f"{type(self).__name__} needs a method slots(group)")

    def program(self, group: Group) -> Program:
        """The update rule."""
        raise NotImplementedError(f"{type(self).__name__} needs a method program(group)")

    def numbers(self, group: Group, step: int) -> tuple[float, ...]:
        """The numbers in the update rule."""
        raise NotImplementedError(f"{type(self).__name__} needs a method numbers(group, step)")

    def check(self, group: Group) -> None:
        """ValueError where an option makes no sense."""

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Add parameters, with options of their own if wanted."""
        name = type(self).__name__
        new = {**self.defaults, **group, "params": _tensors(name, group["params"])}
        unknown = sorted(set(new) - set(self.defaults) - {"params"})
        if unknown:
            raise ValueError(f"{name}: option {unknown[0]!r} is not known; known: {', '.join(self.defaults)}")
        self.check(new)
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in new["params"]:
            _check_parameter(name, p, known)
            known.add(id(p))
        self.param_groups.append(new)
        self.revision += 1

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; set_to_none=False replaces them by zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                clear_grad(p, set_to_none)

    def step(self) -> None:
        """Update, in place, every parameter that has a gradient."""
        for position, group in enumerate(self.param_groups):
            program, slots = self.program(group), self.slots(group)
            for number, (dtype, members) in enumerate(self._alike(group, slots)):
                numbers, each = self._memory(group, (position, number, dtype))
                advance = partial(self._advance, group, members, numbers)
                if tracing.tracer is None:
                    advance()
                else:  # a jitted function counts and sets the numbers at every call
                    tracing.tracer.each_call.append(advance)
                    tracing.tracer.guards.append(partial(self._follows, group, program, self.revision))
                for p, state in members:
                    self._update(p, program, [state[name]._data for name in slots], each)

    def _alike(self, group: Group, slots: tuple[str, ...]) -> list[tuple[np.dtype, list[tuple[Tensor, Any]]]]:
        """The parameters with gradients and their states, together where the numbers of the rule are the same."""
        found: dict[Any, list[tuple[Tensor, Any]]] = {}
        for p in group["params"]:
            if p.grad is not None:
                state = self._state(p, slots)
                found.setdefault((p._data.dtype, state["step"]), []).append((p, state))
        return [(dtype, members) for (dtype, _), members in found.items()]

    def _follows(self, group: Group, program: Program, revision: int) -> bool:
        """Whether the groups are the same, and the options of this one still ask for this rule."""
        return self.revision == revision and self.program(group) is program

    def _advance(self, group: Group, members: Any, numbers: np.ndarray, by: int = 1) -> None:
        """Count a step of parameters that are alike, and set the numbers of the rule for it; by=-1 takes it back."""
        for p, state in members:
            state["step"] += by
            version_cell(p)[0] += by
        numbers[:] = self.numbers(group, max(1, members[0][1]["step"]))

    def _state(self, p: Tensor, slots: tuple[str, ...]) -> dict[str, Any]:
        state = self.state.get(p)
        if state is None:
            state = self.state[p] = {"step": 0}
        for name in slots:
            if name not in state:
                state[name] = wrap(np.zeros(p.shape, p.dtype), p._device)
        return state

    def _memory(self, group: Group, key: tuple[int, int, np.dtype]) -> tuple[np.ndarray, list[np.ndarray]]:
        """Room for the numbers of the rule, and each of them as a 0-d array; always the same ones for a key."""
        count = len(self.numbers(group, 1))
        known = self._numbers.get(key)
        if known is None or len(known[1]) != count:
            memory = np.zeros(count, key[2])
            known = self._numbers[key] = memory, [memory[i, ...] for i in range(count)]
        return known

    def _update(self, p: Tensor, program: Program, slots: list[np.ndarray], numbers: list[np.ndarray]) -> None:
        data, gradient = p._data, p.grad._data  # type: ignore[union-attr]
        if tracing.tracer is not None:
            tracing.tracer.used.add(id(p))
            p._device.elementwise.elementwise_into(program)(data, *slots, data, gradient, *slots, *numbers)
            return
        launch = self._launches.get(p)
        if launch is None or not launch.fits(program, p._device, data, gradient, slots):
            launch = self._launches[p] = _Launch(type(self).__name__, program, p, slots, numbers)
        launch.run(data, *slots, data, gradient, *slots, *numbers)

    def state_dict(self) -> dict[str, Any]:
        """Options and state; parameters are numbered in the order of the groups. Tensors are shared, not copied."""
        return states.state_dict(self)

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Take over (copies of) what `state_dict` returned. ValueError where groups or shapes do not agree."""
        states.load(self, values)
        self._launches.clear()
        self.revision += 1

    def __repr__(self) -> str:
        groups = [", ".join(f"{k}={v}" for k, v in g.items() if k != "params") for g in self.param_groups]
        counts = [sum(p.size for p in g["params"]) for g in self.param_groups]
        lines = [f"  {options}  # {n:,}" for options, n in zip(groups, counts, strict=True)]
        return "\n".join([f"{type(self).__name__}(", *lines, f")  # {sum(counts):,} parameters"])


class _Launch:
    """A rule bound to a parameter's memory and to the layout of its gradient."""

    __slots__ = ("data", "device", "layout", "program", "run", "slots")

    def __init__(self, name: str, program: Program, p: Tensor, slots: list[np.ndarray], numbers: list[np.ndarray]):
        assert p.grad is not None
        data, gradient = p._data, p.grad._data
        for what, array in (("gradient", gradient), *(("state", s) for s in slots)):
            if array.shape != data.shape or array.dtype != data.dtype:
                raise ValueError(
                    f"{name}: a parameter of shape {data.shape} and {data.dtype} has a {what} of shape {array.shape} "
                    f"and {array.dtype}; convert the model before the optimizer is made"
                )
        self.program, self.device, self.data, self.slots = program, p._device, data, slots
        self.layout = gradient.strides, gradient.shape, gradient.dtype
        into = p._device.elementwise.elementwise_into(program)
        self.run: Callable[..., Any] = into.bind(data, *slots, data, gradient, *slots, *numbers)

    def fits(self, program: Any, device: Any, data: Any, gradient: Any, slots: list[np.ndarray]) -> bool:
        """Whether it may run on these arrays."""
        return (
            data is self.data
            and program is self.program
            and device is self.device
            and (gradient.strides, gradient.shape, gradient.dtype) == self.layout
            and len(slots) == len(self.slots)
            and all(map(is_, slots, self.slots))
        )


def _as_groups(name: str, params: Any) -> list[Mapping[str, Any]]:
    if isinstance(params, (Tensor, Mapping)) or not isinstance(params, Iterable):
        raise TypeError(f"{name}: params must be a list of tensors or of groups, got {type(params).__name__}")
    found = list(params)
    if not found:
        raise ValueError(f"{name}: the list of parameters is empty; a generator can be used only once")
    return found if isinstance(found[0], Mapping) else [{"params": found}]


def _tensors(name: str, params: Any) -> list[Tensor]:
    found = [params] if isinstance(params, Tensor) else list(params)
    if not found:
        raise ValueError(f"{name}: the list of parameters is empty; a generator can be used only once")
    return found


def _check_parameter(name: str, p: Any, known: set[int]) -> None:
    if not isinstance(p, Tensor):
        raise TypeError(f"{name}: can only optimize tensors, got {type(p).__name__}")
    if not p.is_leaf:
        raise ValueError(f"{name}: can only optimize leaf tensors, this one was computed by {p._node.primitive.name}")
    if p.dtype.kind != "f":
        raise ValueError(f"{name}: can only optimize float32 and float64 tensors, got {p.dtype}")
    if id(p) in known:
        raise ValueError(f"{name}: a parameter (shape {p.shape}) is given twice")
