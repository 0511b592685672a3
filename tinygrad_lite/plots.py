"""Pictures of a training run, as PNG files. Nothing is shown on a screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .errors import needs


def new_figure(columns: int = 1) -> tuple[Any, Any]:
    figure = needs("matplotlib.figure", "drawing").Figure(figsize=(5.5 * columns, 4.2), layout="constrained")
    return figure, figure.subplots(1, columns)


def save(figure: Any, path: Path) -> None:
    """Written beside its place and moved, so that there is never half a picture."""
    temporary = path.with_name(f".{path.name}.new")
    figure.savefig(temporary, dpi=120, format="png")
    temporary.replace(path)


def learning_curves(history: Sequence[dict[str, float]], measure: str, path: Path) -> None:
    """Loss and the measure ("accuracy" or "rmse") of every epoch, for training and validation."""
    figure, axes = new_figure(2)
    epochs = [row["epoch"] for row in history]
    for ax, what in zip(axes, ("loss", measure), strict=True):
        for part in ("train", "validation"):
            ax.plot(epochs, [row[f"{part}_{what}"] for row in history], label={"train": "training"}.get(part, part))
        ax.set(xlabel="epoch", ylabel=what, title=f"{what} by epoch")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.grid(alpha=0.3)
        ax.legend()
    save(figure, path)


def confusion_matrix(true: np.ndarray, predicted: np.ndarray, classes: Sequence[str], path: Path) -> None:
    """How often each class (row) was taken for each class (column)."""
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (true, predicted), 1)
    figure, ax = new_figure()
    ax.imshow(counts, cmap="Blues")
    if len(classes) <= 20:
        for i, j in np.ndindex(counts.shape):
            colour = "white" if counts[i, j] > counts.max() / 2 else "black"
            ax.text(j, i, counts[i, j] or "", ha="center", va="center", color=colour, fontsize=8)
        ax.set_xticks(range(len(classes)), classes, rotation=90 if max(map(len, classes)) > 3 else 0)
        ax.set_yticks(range(len(classes)), classes)
    ax.set(xlabel="predicted", ylabel="true", title="test rows by class")
    save(figure, path)


def predicted_against_true(true: np.ndarray, predicted: np.ndarray, name: str, path: Path) -> None:
    """Each test row as a point; on the diagonal where the prediction is right."""
    figure, ax = new_figure()
    ends = [min(true.min(), predicted.min()), max(true.max(), predicted.max())]
    ax.plot(ends, ends, color="grey", linewidth=1)
    ax.scatter(true, predicted, s=10, alpha=0.5)
    ax.set(xlabel=f"true {name}", ylabel=f"predicted {name}", title="test rows")
    ax.grid(alpha=0.3)
    save(figure, path)
