"""How long a fresh process takes: to import, and to finish its first training step, of an MLP 784-512-256-10 with Adam.

As a command: `python benchmarks/bench_start.py` is `tinygrad-lite bench start`, with all of its options.
Under pytest-benchmark: `pytest benchmarks/bench_start.py`.
"""

from __future__ import annotations

import sys

import pytest

from tinygrad_lite.bench.start import FIRST_STEPS, process
from tinygrad_lite.cli import main


@pytest.mark.parametrize("code", ["import tinygrad_lite", *FIRST_STEPS.values()], ids=["import", *FIRST_STEPS])
def test_warm_process(benchmark, code, tmp_path):
    process(code, TINYGRAD_LITE_CACHE=str(tmp_path))
    benchmark.pedantic(process, (code,), {"TINYGRAD_LITE_CACHE": str(tmp_path)}, rounds=3)


if __name__ == "__main__":
    sys.argv[1:1] = ["bench", "start"]
    sys.exit(main())
