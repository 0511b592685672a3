"""`tinygrad-lite predict`: answers of a trained model for the rows of a file."""

from __future__ import annotations

import argparse
import csv
import io
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..data.tables import Table, read_csv, read_npz
from ..errors import UserError, needs
from ..train.model import answers, load, outputs
from .files import write_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("model", help="model.safetensors of a training run")
    parser.add_argument("data", help="FILE.csv with the columns of the training data, or FILE.npz with an array X")
    parser.add_argument("--out", help="CSV file for the answers (default: standard output)")
    parser.add_argument("--device", choices=["cpu", "numpy"], default="cpu")


def run(args: argparse.Namespace) -> int:
    """Write one line for each row: the prediction, and for classes their probabilities."""
    needs("safetensors", "loading a model")
    model, preparation = load(args.model, args.device)
    table = _read(args.data)
    if args.data.lower().endswith(".npz"):
        table = _renamed(table, [f.name for f in preparation.features])
    raw = outputs(model, preparation.encode(table), args.device)
    text = _lines(preparation, *answers(preparation, raw))
    if args.out is None:
        sys.stdout.write(text)
        return 0
    write_text("--out", args.out, text)
    print(f"{table.rows} predictions in {args.out}")
    return 0


def _read(path: str) -> Table:
    kind = Path(path).suffix.lower()
    if kind not in (".csv", ".npz"):
        raise UserError(f"{path!r} is neither a .csv nor a .npz file; give one of these")
    return read_npz(path, None)[0] if kind == ".npz" else read_csv(path)


def _renamed(table: Table, names: list[str]) -> Table:
    """Columns of an array have no names: they are taken in order."""
    if len(table.columns) != len(names):
        raise UserError(f"{table.source} has {len(table.columns)} features, the model was trained on {len(names)}")
    return Table(table.source, dict(zip(names, table.columns.values(), strict=True)))


def _lines(preparation: Any, found: Any, probabilities: np.ndarray | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if probabilities is None:
        writer.writerow([preparation.target])
        writer.writerows([[f"{v:.9g}"] for v in found])
    else:
        writer.writerow([preparation.target, *(f"p({c})" for c in preparation.classes)])
        writer.writerows([[c, *(f"{p:.6f}" for p in row)] for c, row in zip(found, probabilities, strict=True)])
    return text.getvalue()
