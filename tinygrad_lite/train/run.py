"""One training run: epochs, early stopping, the best weights, a checkpoint after every epoch."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .. import data, io, nn, optim
from ..compiler import jit
from ..ops.random import manual_seed
from ..tensor import Tensor
from . import checkpoint
from .model import build, metadata, outputs
from .preparation import Preparation


@dataclass
class Settings:
    """What a person can choose."""

    hidden: tuple[int, ...] = (512,)
    dropout: float = 0.3
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    batch_size: int = 32
    epochs: int = 80
    patience: int = 15
    seed: int = 0
    device: str = "cpu"


@dataclass
class Part:
    """Inputs and targets of some rows."""

    x: np.ndarray
    y: np.ndarray


class Run:
    """Trains a network on one part and watches it on another.

    After every epoch the folder holds the best model so far and a checkpoint; `resume` goes on from there, to the same
    weights, bit for bit, as a run that was never interrupted.
    """

    def __init__(self, preparation: Preparation, training: Part, validation: Part, settings: Settings, out: Path):
        manual_seed(settings.seed)
        self.preparation, self.training, self.validation = preparation, training, validation
        self.options, self.out = settings, out
        self.model = build(preparation.inputs, settings.hidden, preparation.outputs, settings.dropout)
        self.model.to(device=settings.device)
        self.optimizer = optim.Adam(
            self.model.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        device = settings.device
        samples = data.TensorDataset(Tensor(training.x, device=device), Tensor(training.y, device=device))
        self.loader = data.DataLoader(samples, settings.batch_size, shuffle=True, seed=settings.seed)
        self.step = jit(self._step)
        self.history: list[dict[str, float]] = []
        self.epoch, self.waited, self.best = 0, 0, math.inf
        self.best_weights: dict[str, np.ndarray] = {}
        self.settings = {k: v for k, v in vars(settings).items() if k not in ("epochs", "patience")}
        self.settings |= {"hidden": list(settings.hidden), "rows": len(training.x), "checksum": _checksum(training)}

    @property
    def checkpoint_path(self) -> Path:
        """Where the checkpoint is."""
        return self.out / "checkpoint.safetensors"

    @property
    def model_path(self) -> Path:
        """Where the best model is."""
        return self.out / "model.safetensors"

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.epoch >= self.options.epochs or self.waited >= self.options.patience

    def resume(self) -> None:
        """Take over the state of the last complete epoch."""
        checkpoint.load(self.checkpoint_path, self)

    def train(self, report: Callable[[dict[str, float]], None] = lambda row: None) -> None:
        """Train until finished, reporting every epoch's row of the history."""
        try:
            while not self.finished:
                report(self._epoch())
        finally:
            if not self.model_path.exists():
                self._save_model()

    def _epoch(self) -> dict[str, float]:
        loss = self._pass()
        self.epoch += 1
        row = {"epoch": self.epoch, "train_loss": loss}
        row |= {f"train_{k}": v for k, v in self._measure(self.training).items() if k != "loss"}
        row |= {f"validation_{k}": v for k, v in self._measure(self.validation).items()}
        self.history.append(row)
        self.waited += 1
        if row["validation_loss"] < self.best:
            self.best, self.waited = row["validation_loss"], 0
            self.best_weights = {k: np.array(v._data) for k, v in self.model.state_dict().items()}
            self._save_model()
        checkpoint.save(self.checkpoint_path, self)
        return row

    def _pass(self) -> float:
        """One pass over the training part; the mean loss."""
        self.model.train()
        total = 0.0
        for x, y in self.loader:
            total += float(self.step(x, y)) * len(x)
        return total / len(self.training.x)

    def _step(self, x: Tensor, y: Tensor) -> Tensor:
        """Loss, gradients and update for a batch; `step` is the same, jitted."""
        self.optimizer.zero_grad()
        loss = self.loss(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return loss

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Cross entropy, or the mean squared error of standardised values."""
        classify = self.preparation.task == "classification"
        return (nn.functional.cross_entropy if classify else nn.functional.mse_loss)(output, target)

    def _measure(self, part: Part) -> dict[str, float]:
        raw = outputs(self.model, part.x, self.options.device)
        loss = float(self.loss(Tensor(raw), Tensor(part.y)))
        if self.preparation.task == "classification":
            return {"loss": loss, "accuracy": float(np.mean(raw.argmax(axis=1) == part.y))}
        return {"loss": loss, "rmse": math.sqrt(loss) * self.preparation.target_scale}

    def restore_best(self) -> None:
        """Put the best weights back into the model."""
        if self.best_weights:
            self.model.load_state_dict({k: Tensor(v) for k, v in self.best_weights.items()})

    def _save_model(self) -> None:
        texts = metadata(self.preparation, self.options.hidden, self.options.dropout)
        io.save(self.model.state_dict(), self.model_path, texts)


def _checksum(part: Part) -> str:
    """Tells data sets apart."""
    import hashlib

    digest = hashlib.blake2b(digest_size=8)
    for array in (part.x, part.y):
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()
