"""`tinygrad-lite bench`: how fast are the kernels and the training steps, beside those of other packages?"""

from __future__ import annotations

import argparse
import difflib
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .. import devices, machine
from ..bench import libraries
from ..bench.environment import start_clean
from ..bench.families import FAMILIES
from ..errors import UserError, needs
from ..table import print_table
from .files import check_writable, write_text, writing
from .options import positive_int

EPILOG = """examples:
  tinygrad-lite bench --quick                                every family in about 10 seconds
  tinygrad-lite bench matmul step --threads 2 --json out.json
  tinygrad-lite bench elementwise --peers numpy --plot roofline.png
  tinygrad-lite bench --devices numpy,cpu --peers none       our own reference and our compiled kernels
"""
NO_GPU = "no GPU here: devices numpy (the reference) and cpu (compiled kernels)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to time, and beside whom."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("family", nargs="*", help=f"any of {', '.join(FAMILIES)} (default: all)")
    add("--peers", help="packages to compare with: numpy, torch, jax with commas, or none (default: all installed)")
    add("--devices", default="cpu", help="ours: numpy (the reference), cpu (compiled), with commas (default cpu)")
    add("--threads", type=positive_int, default=1, help="for everybody (default 1)")
    add("--quick", action="store_true", help="fewer cases and rounds")
    add("--json", metavar="FILE", help="write all figures, with machine, versions and date")
    add("--plot", metavar="FILE", help="draw a roofline of our kernels as PNG")


def run(args: argparse.Namespace) -> int:
    """Time, print a table for each family, and write the files. 1 where losses differ."""
    families = _known("the benchmark", args.family or list(FAMILIES), FAMILIES)
    chosen = _devices(args.devices)
    peers = _peers(args.peers)
    _check_files(args)
    if args.as_program:
        start_clean(args.threads)
    return _run(args, families, chosen, peers)


def _run(args: argparse.Namespace, families: Sequence[str], chosen: Sequence[str], peers: Sequence[str]) -> int:
    from tinygrad_lite_kernels import threads

    from ..bench import peaks
    from ..bench.case import Contestants
    from ..bench.rates import losses_agree

    before = threads.get_num_threads()
    threads.set_num_threads(args.threads)
    try:
        who = Contestants(tuple(map(devices.get, chosen)), libraries.load(peers, args.threads))
        peak = peaks.measure(args.threads)
        _introduce(args, peers, peak)
        rows = [row for family in families for row in _family(family, who, args.quick, peak)]
    finally:
        threads.set_num_threads(before)
    _write(args, rows, peak, {"threads": args.threads, "devices": chosen, "peers": peers, "quick": args.quick})
    return 0 if all(map(losses_agree, rows)) else 1


# ---- what was asked for ----


def _known(what: str, names: Iterable[str], known: Iterable[str]) -> list[str]:
    """The names without repetitions. UserError for one that is not known."""
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), 1, 0.5)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UserError(f"{what} {name!r} is not known; known: {', '.join(known)}{hint}")
    return list(dict.fromkeys(names))


def _words(text: str) -> list[str]:
    return [word for part in text.split(",") if (word := part.strip())]


def _devices(text: str) -> list[str]:
    """Compiled first: all others are compared with it. A GPU is left out where there is none."""
    known = [*devices.names(), *({"cuda"} - set(devices.names()))]
    wanted = _known("--devices: the device", _words(text), known)
    found = sorted(set(wanted) & set(devices.names()))
    if not found:
        raise UserError(f"--devices {text}: names no device that is here; known: {', '.join(devices.names())}")
    return found


def _peers(text: str | None) -> list[str]:
    if text is None:
        return libraries.installed()
    names = [] if text == "none" else _known("--peers: the package", _words(text), libraries.PEERS)
    return libraries.check_installed(names)


def _check_files(args: argparse.Namespace) -> None:
    """Before anything is measured."""
    for option in ("json", "plot"):
        if (path := getattr(args, option)) is not None:
            check_writable(f"--{option}", path)
    if args.plot is not None:
        needs("matplotlib", "--plot")


# ---- what is shown and written ----


def _introduce(args: argparse.Namespace, peers: Sequence[str], peak: Any) -> None:
    versions = (f"{name} {machine.version(name)}" for name in ("tinygrad_lite", "numba", *peers))
    print(f"{machine.processor()}, {machine.cores()} cores, Python {machine.python()}, {', '.join(versions)}")
    print(
        f"{args.threads} thread(s), float32. Peaks of this machine: {peak.flops / 1e9:.0f} GFLOP/s of multiply-adds on"
    )
    print(
        f"data in cache, {peak.bandwidth / 1e9:.1f} GB/s of a large copy (more than 100 % of it: data stay in a cache)."
    )
    print('"numpy x" tells how many times longer NumPy takes than the first column.')
    if args.devices != "cpu":
        print(NO_GPU)
    if not args.as_program and any(name.startswith("OPENBLAS_") for name in os.environ):
        print("OPENBLAS_* is set in this process: NumPy's products may be slower than they could be")


def _family(family: str, who: Any, quick: bool, peak: Any) -> list[Any]:
    from ..bench import report
    from ..bench.families import run

    rows = list(run(family, who, quick))
    print_table("", report.head(rows), list(report.lines(rows, peak)))
    for line in report.losses(rows):
        print(line)
    return rows


def _write(args: argparse.Namespace, rows: Sequence[Any], peak: Any, settings: dict[str, Any]) -> None:
    if args.json:
        from ..bench.record import record

        write_text("--json", args.json, json.dumps(record(list(rows), peak, settings), indent=1, allow_nan=False))
        print(f"figures in {args.json}")
    if args.plot:
        from ..bench.roofline import draw

        with writing("--plot", args.plot):
            draw(rows, peak, Path(args.plot))
        print(f"roofline in {args.plot}")
