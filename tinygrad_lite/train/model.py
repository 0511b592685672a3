"""The network of the training command, and its file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import io, nn
from ..autograd.modes import no_grad
from ..errors import UserError
from ..ops.statistics import softmax
from ..tensor import Tensor
from .preparation import Preparation

FORMAT = "tinygrad_lite table model 1"


def build(inputs: int, hidden: Sequence[int], outputs: int, dropout: float) -> nn.Sequential:
    """Linear layers with ReLU (and dropout) between them."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(inputs, size), nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
        inputs = size
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def outputs(model: nn.Module, x: np.ndarray, device: str, batch: int = 4096) -> np.ndarray:
    """What the network gives for rows of inputs, in evaluation mode."""
    model.eval()
    with no_grad():
        parts = [model(Tensor(x[i : i + batch], device=device))._data for i in range(0, len(x), batch)]
    return np.concatenate(parts)


def answers(preparation: Preparation, raw: np.ndarray) -> tuple[Any, np.ndarray | None]:
    """Class names with their probabilities, or values (and None)."""
    if preparation.task == "regression":
        return raw[:, 0] * preparation.target_scale + preparation.target_mean, None
    probabilities = softmax(Tensor(raw))._data
    return [preparation.classes[i] for i in probabilities.argmax(axis=1)], probabilities


def metadata(preparation: Preparation, hidden: Sequence[int], dropout: float) -> dict[str, str]:
    """What a model file says besides its weights."""
    described = {"preparation": preparation.to_dict(), "hidden": list(hidden), "dropout": dropout}
    return {"format": FORMAT, "model": json.dumps(described)}


def load(path: str | Path, device: str) -> tuple[nn.Sequential, Preparation]:
    """The network in a file that the training command wrote. UserError for any other file."""
    try:
        texts = io.load_metadata(path)
        weights = io.load(path)
    except FileNotFoundError:
        raise UserError(f"{path} does not exist; give the model.safetensors of a training run") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path} cannot be used as a model: {error}") from None
    if texts.get("format") != FORMAT:
        raise UserError(f"{path} is not a model of `tinygrad-lite train`; give the model.safetensors of a training run")
    try:
        described = json.loads(texts["model"])
        preparation = Preparation.from_dict(described["preparation"])
        model = build(preparation.inputs, described["hidden"], preparation.outputs, described["dropout"])
        model.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(f"{path} is damaged: {error}") from None
    return model.to(device=device), preparation
