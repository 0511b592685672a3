"""`tinygrad-lite train`: from a table to a model file, with pictures and figures of how it went."""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..data.tables import Table, read_csv, read_npz
from ..errors import UserError, needs
from ..train.model import answers, outputs
from ..train.preparation import Preparation, find_task, prepare, split
from ..train.run import Part, Run, Settings
from . import options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    default = Settings()
    add = parser.add_argument
    add("data", help="digits (1,797 scans that scikit-learn bundles), FILE.csv with a header row, or FILE.npz")
    add("--target", help="the column (CSV) or array (NPZ, default y) to learn")
    add("--task", choices=["classification", "regression"], help="default: found from the target")
    add("--out", default=None, help="folder for the results (default runs/NAME)")
    add("--resume", action="store_true", help="go on from the checkpoint in the folder")
    add("--seed", type=options.natural, default=default.seed, help="of splits, starting weights, order, dropout")
    add("--epochs", type=options.positive_int, default=default.epochs, help="at most (default %(default)s)")
    add("--patience", type=options.positive_int, default=default.patience,
        help="stop after so many epochs without a better validation loss (default %(default)s)")  # fmt: skip
    add("--batch-size", type=options.positive_int, default=default.batch_size, help="default %(default)s")
    add(
        "--hidden",
        type=options.sizes,
        default=default.hidden,
        help="sizes of the hidden layers, like 128,64 (default 512)",
    )
    add("--lr", type=options.positive, default=default.learning_rate, help="learning rate (default %(default)s)")
    add("--dropout", type=options.fraction, help=f"default {default.dropout} for classes, 0 for regression")
    add("--weight-decay", type=options.not_negative, default=default.weight_decay, help="default %(default)s")
    add("--device", choices=["cpu", "numpy"], default=default.device, help="compiled kernels or the NumPy reference")
    add("--threads", type=options.positive_int, help="at most so many threads")
    add("--quiet", action="store_true", help="print the result only")


def run(args: argparse.Namespace) -> int:
    """Train, then measure the best weights on rows that training never saw."""
    needs("safetensors", "training")
    if args.threads:
        from tinygrad_lite_kernels.threads import set_num_threads

        set_num_threads(args.threads)
    table, target, name = read(args.data, args.target)
    task = args.task or find_task(target, table.source)
    rows = split(table.rows, target if task == "classification" else None, args.seed, table.source)
    preparation = prepare(table, target, name, task, rows[0])
    x, y = preparation.encode(table), preparation.encode_target(target)
    parts = [Part(x[r], y[r]) for r in rows]
    out = folder(args.out or f"runs/{Path(args.data).stem}")
    if args.dropout is None:
        args.dropout = Settings.dropout if task == "classification" else 0.0
    training = Run(preparation, parts[0], parts[1], settings(args), out)
    _start(training, args.resume)
    return _train(training, parts, args.quiet)


def settings(args: argparse.Namespace) -> Settings:
    """The options as settings of a run."""
    return Settings(
        args.hidden, args.dropout, args.lr, args.weight_decay, args.batch_size, args.epochs, args.patience, args.seed,
        args.device,
    )  # fmt: skip


def read(source: str, target: str | None) -> tuple[Table, Any, str]:
    """Features, target, and the target's name."""
    if source == "digits":
        bunch = needs("sklearn.datasets", "the digits").load_digits()
        return Table("digits", {f"pixel{i}": bunch.data[:, i] for i in range(64)}), bunch.target, target or "digit"
    kind = Path(source).suffix.lower()
    if kind == ".npz":
        features, values = read_npz(source, target)
        if values is None:
            raise UserError(f'{source} has no array "y"; name the one to learn with --target')
        return features, values, target or "y"
    if kind != ".csv":
        raise UserError(f"{source!r} is neither `digits` nor a .csv or .npz file; give one of these")
    table = read_csv(source)
    if target is None:
        raise UserError(f"{source}: name the column to learn with --target; the columns are {', '.join(table.columns)}")
    values = table.column(target)
    if len(table.columns) == 1:
        raise UserError(f"{source} has no column besides the target {target!r}; there is nothing to learn from")
    return table.without(target), values, target


def folder(path: str) -> Path:
    """The folder for results, made if need be. UserError where nothing can be written there."""
    out = Path(path)
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / f".probe-{os.getpid()}"
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        raise UserError(f"--out {out}: cannot write there ({error.strerror}); choose another folder") from None
    return out


def _start(training: Run, resume: bool) -> None:
    exists = training.checkpoint_path.exists()
    if resume and not exists:
        raise UserError(f"--resume: there is no checkpoint in {training.out}; start without --resume")
    if resume:
        training.resume()
    else:
        for path in (training.checkpoint_path, training.model_path):
            path.unlink(missing_ok=True)


def _train(training: Run, parts: Sequence[Part], quiet: bool) -> int:
    console = needs("rich.console", "training").Console(quiet=quiet, highlight=False)
    sizes = " / ".join(str(len(p.x)) for p in parts)
    weights = sum(p.size for p in training.model.parameters())
    console.print(
        f"{training.preparation.task} of {training.preparation.target!r}: {training.preparation.inputs} inputs, "
        f"{training.preparation.outputs} outputs, {weights:,} weights; {sizes} rows to train / validate / test"
    )
    start = time.perf_counter()
    try:
        _epochs(training, console)
    except KeyboardInterrupt:
        print(f"interrupted after epoch {training.epoch}; {training.out} holds the best model and a checkpoint: "
              "go on with --resume")  # fmt: skip
        return 130
    console.print(f"{training.epoch} epochs, {time.perf_counter() - start:.1f} s")
    training.restore_best()
    print(_results(training, parts[2]))
    return 0


def _epochs(training: Run, console: Any) -> None:
    """Train with a progress bar and a line for every epoch."""
    progress = needs("rich.progress", "training")
    columns = [progress.TextColumn("{task.description}"), progress.BarColumn(), progress.MofNCompleteColumn()]
    with progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("epochs", total=training.options.epochs, completed=training.epoch)

        def report(row: dict[str, float]) -> None:
            console.print(_line(row))
            bar.update(task, completed=training.epoch)

        training.train(report)


def _line(row: dict[str, float]) -> str:
    measure = "accuracy" if "train_accuracy" in row else "rmse"
    parts = [f"{part} loss {row[f'{part}_loss']:.4f} {measure} {row[f'{part}_{measure}']:.4f}" for part in
             ("train", "validation")]  # fmt: skip
    return f"epoch {int(row['epoch']):3d}  " + "  ".join(parts)


def _results(training: Run, test: Part) -> str:
    """Measure on the test part, write figures and pictures, and say it in a line."""
    from .. import plots

    out, preparation = training.out, training.preparation
    raw = outputs(training.model, test.x, training.options.device)
    measured = _measured(preparation, raw, test.y)
    _write(out / "history.csv", _csv(training.history))
    _write(out / "results.json", json.dumps(measured, indent=1) + "\n")
    plots.learning_curves(training.history, "accuracy" if "accuracy" in measured else "rmse", out / "curves.png")
    if preparation.task == "classification":
        plots.confusion_matrix(test.y, raw.argmax(axis=1), preparation.classes, out / "confusion.png")
        text = f"test accuracy {measured['accuracy']:.4f} on {len(test.x)} rows"
    else:
        true = test.y[:, 0] * preparation.target_scale + preparation.target_mean
        plots.predicted_against_true(true, answers(preparation, raw)[0], preparation.target, out / "predictions.png")
        text = f"test RMSE {measured['rmse']:.6g}, R^2 {measured['r2']:.4f} on {len(test.x)} rows"
    return f"{text}; results in {out}"


def _measured(preparation: Preparation, raw: np.ndarray, y: np.ndarray) -> dict[str, float]:
    if preparation.task == "classification":
        return {"accuracy": float(np.mean(raw.argmax(axis=1) == y)), "rows": len(y)}
    residual = float(np.mean((raw - y) ** 2))
    spread = float(np.var(y))
    r2 = 1 - residual / spread if spread else float("nan")
    return {"rmse": residual**0.5 * preparation.target_scale, "r2": r2, "rows": len(y)}


def _csv(history: Sequence[dict[str, float]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]) if history else ["epoch"])
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text)
    temporary.replace(path)
