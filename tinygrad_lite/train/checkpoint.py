"""Everything that training needs to go on exactly where it was, in one file that is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from .. import io
from ..errors import UserError
from ..ops.random import default_generator
from ..tensor import Tensor

FORMAT = "tinygrad_lite checkpoint 1"


def save(path: Path, run: Any) -> None:
    """Write the state of a run after an epoch."""
    tensors: dict[str, Any] = {f"model.{k}": v for k, v in run.model.state_dict().items()}
    tensors |= {f"best.{k}": v for k, v in run.best_weights.items()}
    optimizer = run.optimizer.state_dict()
    steps: dict[str, int] = {}
    for number, values in optimizer["state"].items():
        for key, value in values.items():
            if key == "step":
                steps[str(number)] = value
            else:
                tensors[f"optimizer.{number}.{key}"] = value
    state = {
        "epoch": run.epoch, "history": run.history, "best": run.best, "waited": run.waited, "steps": steps,
        "loader": run.loader.state_dict(), "random": default_generator.get_state(), "settings": run.settings,
    }  # fmt: skip
    io.save(tensors, path, {"format": FORMAT, "state": json.dumps(state)})


def load(path: Path, run: Any) -> None:
    """Put a run into the state that was saved. UserError where it belongs to other data or settings."""
    try:
        texts, tensors = io.load_metadata(path), io.load(path)
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be resumed: {error}; start anew without --resume") from None
    if texts.get("format") != FORMAT:
        raise UserError(f"{path} is not a checkpoint of `tinygrad-lite train`; start anew without --resume")
    state = json.loads(texts["state"])
    _check_settings(path, state["settings"], run.settings)
    groups: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "optimizer": {}}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        groups[kind][rest] = value
    run.model.load_state_dict(groups["model"])
    run.best_weights = {k: np.array(v._data) for k, v in groups["best"].items()}
    run.optimizer.load_state_dict(_optimizer_state(run, groups["optimizer"], state["steps"]))
    run.loader.load_state_dict(state["loader"])
    default_generator.set_state(state["random"])
    run.epoch, run.history = state["epoch"], state["history"]
    run.best, run.waited = state["best"], state["waited"]


def _optimizer_state(run: Any, tensors: dict[str, Tensor], steps: dict[str, int]) -> dict[str, Any]:
    values: dict[int, dict[str, Any]] = {int(n): {"step": step} for n, step in steps.items()}
    for name, tensor in tensors.items():
        number, _, key = name.partition(".")
        values.setdefault(int(number), {})[key] = tensor
    return {"state": values, "param_groups": run.optimizer.state_dict()["param_groups"]}


def _check_settings(path: Path, saved: dict[str, Any], now: dict[str, Any]) -> None:
    different = [k for k in now if saved.get(k) != now[k]]
    if different:
        listed = ", ".join(f"{k} was {saved.get(k)!r}, is {now[k]!r}" for k in different)
        raise UserError(
            f"{path} belongs to a run with other data or settings ({listed}); use the same, or another --out"
        )
