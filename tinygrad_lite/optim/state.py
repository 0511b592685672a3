"""The state of an optimizer as plain dicts, in PyTorch's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..tensor import Tensor


def state_dict(optimizer: Any) -> dict[str, Any]:
    """{"state": {number: values}, "param_groups": options with the numbers of their parameters}."""
    numbers = {p: i for i, p in enumerate(_parameters(optimizer))}
    groups = [{**group, "params": [numbers[p] for p in group["params"]]} for group in optimizer.param_groups]
    return {"state": {numbers[p]: dict(values) for p, values in optimizer.state.items()}, "param_groups": groups}


def load(optimizer: Any, values: Mapping[str, Any]) -> None:
    """Check everything, then take it over."""
    name = type(optimizer).__name__
    if not isinstance(values, Mapping) or not {"state", "param_groups"} <= set(values):
        raise ValueError(f"{name}.load_state_dict: expected a dict with 'state' and 'param_groups'")
    given, own = values["param_groups"], optimizer.param_groups
    sizes, own_sizes = [[len(g["params"]) for g in groups] for groups in (given, own)]
    if sizes != own_sizes:
        raise ValueError(
            f"{name}.load_state_dict: the groups hold {sizes} parameters, this optimizer's hold {own_sizes}"
        )
    numbers = [n for group in given for n in group["params"]]
    parameters = dict(zip(numbers, _parameters(optimizer), strict=True))
    state = {parameters[int(n)]: _copied(name, parameters[int(n)], s) for n, s in values["state"].items()}
    groups = [{**group, **new, "params": group["params"]} for group, new in zip(own, given, strict=True)]
    for group in groups:
        optimizer.check(group)
    optimizer.state, optimizer.param_groups = state, groups


def _parameters(optimizer: Any) -> list[Tensor]:
    return [p for group in optimizer.param_groups for p in group["params"]]


def _copied(name: str, p: Tensor, values: Mapping[str, Any]) -> dict[str, Any]:
    """Copies in the parameter's dtype and on its device."""
    state: dict[str, Any] = {}
    for key, value in values.items():
        if key == "step":
            state[key] = int(value)
            continue
        state[key] = Tensor(value, p.dtype, p._device)
        if state[key].shape != p.shape:
            raise ValueError(f"{name}.load_state_dict: {key} has shape {state[key].shape}, its parameter {p.shape}")
    return state
