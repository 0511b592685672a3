"""`tinygrad-lite bench` as people use it: tables, files, and what bad input gets."""

import json
import math
import os
import subprocess
import sys
from datetime import datetime

import pytest

from tinygrad_lite.bench import families, peaks
from tinygrad_lite.bench.families import FAMILIES
from tinygrad_lite.bench.timing import Effort
from tinygrad_lite.cli import main

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(autouse=True)
def little_effort(monkeypatch):
    monkeypatch.setattr(families, "QUICK", Effort(2, 0, 0))
    monkeypatch.setattr(peaks, "COPY_BYTES", 1 << 20)
    monkeypatch.setattr(peaks, "ROUNDS", 2)


def bench(*arguments):
    return main(["bench", "--quick", *map(str, arguments)])


def sentence(capsys, *arguments):
    assert bench(*arguments) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("tinygrad-lite: ") and error.count("\n") == 1
    return error


def recorded(tmp_path, *arguments):
    assert bench(*arguments, "--json", tmp_path / "out.json") == 0
    return json.loads((tmp_path / "out.json").read_text())


def test_every_family_gives_finite_numbers(tmp_path, capsys):
    found = recorded(tmp_path, "--devices", "numpy,cpu", "--peers", "numpy")
    assert {row["family"] for row in found["rows"]} == set(FAMILIES)
    for row in found["rows"]:
        assert list(row["seconds"])[:2] == ["ours", "reference"]
        assert all(math.isfinite(t) and t > 0 for t in row["seconds"].values())
        assert row["unit"] == FAMILIES[row["family"]]
        assert (row["rate"] is None) == (row["share"] is None) == (row["unit"] == "")
    out = capsys.readouterr().out
    assert "no GPU here" in out
    assert all(row["label"] in out for row in found["rows"])


def test_the_record_says_where_when_and_with_what(tmp_path):
    found = recorded(tmp_path, "reduce", "--peers", "none", "--threads", 1)
    assert found["format"] == "tinygrad_lite benchmarks 1"
    assert abs((datetime.now().astimezone() - datetime.fromisoformat(found["date"])).total_seconds()) < 60
    assert found["machine"]["cores"] == os.cpu_count() and found["machine"]["processor"]
    assert found["versions"]["numpy"] == __import__("numpy").__version__
    assert found["settings"] == {"threads": 1, "devices": ["cpu"], "peers": [], "quick": True}
    assert found["peaks"]["flops"] > 1e8 and found["peaks"]["bandwidth"] > 1e7
    row = found["rows"][0]
    assert list(row["seconds"]) == ["ours"] and row["ratios"] == {} and row["losses_agree"] is None
    assert row["rate"] == pytest.approx(4e6 / row["seconds"]["ours"] / 1e9)
    assert row["share"] == pytest.approx(row["rate"] * 1e9 / found["peaks"]["bandwidth"])


def test_losses_of_steps_are_compared(tmp_path, capsys):
    found = recorded(tmp_path, "step")
    assert {"ours", "ours eager", "numpy"} <= set(found["rows"][0]["losses"])
    for row in found["rows"]:
        first, last = row["losses"]["ours"]
        assert row["losses_agree"] and last < first
        assert row["losses"]["numpy"] == pytest.approx([first, last], rel=1e-3)
    assert "losses agree" in capsys.readouterr().out


def test_a_fast_wrong_answer_shows(monkeypatch, capsys):
    from tinygrad_lite.bench import step

    def wrong(model, library=None):
        run = step.by_hand(model, library)
        return lambda: run() * 1.01

    monkeypatch.setitem(step.PEERS, "numpy", wrong)
    assert bench("step", "--peers", "numpy") == 1
    assert "losses DIFFER" in capsys.readouterr().out


def test_a_roofline_is_drawn(tmp_path):
    pytest.importorskip("matplotlib")
    assert bench("matmul", "reduce", "--peers", "none", "--plot", tmp_path / "roof.png") == 0
    assert (tmp_path / "roof.png").read_bytes().startswith(PNG)
    assert bench("start", "--peers", "none", "--plot", tmp_path / "empty.png") == 0, "nothing to show but the roof"
    assert (tmp_path / "empty.png").read_bytes().startswith(PNG)
    assert {p.name for p in tmp_path.iterdir()} == {"roof.png", "empty.png"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["matmull"], "'matmull' is not known; known: matmul, elementwise"),
        (["matmull"], "did you mean matmul?"),
        (["--peers", "numpy,tensorflow"], "'tensorflow' is not known; known: numpy, torch, jax"),
        (["--devices", "gpu"], "'gpu' is not known"),
        (["--devices", "cuda"], "names no device that is here; known: numpy, cpu"),
        (["--devices", ","], "names no device"),
        (["--threads", "0"], "must be a positive integer"),
        (["--json", "no/such/folder/x.json"], "cannot write there"),
        (["--json", "."], "it is a folder"),
        (["--json", ""], "it is a folder"),
        (["--plot", "no/such/folder/x.png"], "cannot write there"),
    ],
)
def test_bad_input_gets_one_sentence(capsys, arguments, words):
    assert words in sentence(capsys, *arguments)


def test_a_missing_peer_is_named(monkeypatch, capsys):
    from tinygrad_lite.bench import libraries

    monkeypatch.setattr(libraries, "installed", lambda: ["numpy"])
    assert "--peers torch: it is not installed" in sentence(capsys, "--peers", "torch")


def test_by_default_the_peers_are_what_is_installed(monkeypatch, tmp_path):
    from tinygrad_lite.bench import libraries

    monkeypatch.setattr(libraries, "installed", lambda: ["numpy"])
    assert list(recorded(tmp_path, "reduce")["rows"][0]["seconds"]) == ["ours", "numpy"]


def test_nothing_is_written_when_it_goes_wrong(monkeypatch, tmp_path):
    def failing(*_):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(families, "timed", failing)
    with pytest.raises(RuntimeError):
        bench("reduce", "--json", tmp_path / "out.json")
    assert list(tmp_path.iterdir()) == []


def test_threads_are_as_before(capsys):
    from tinygrad_lite_kernels import threads

    before = threads.get_num_threads()
    assert bench("start", "--peers", "none", "--threads", before + 1) == 0
    assert threads.get_num_threads() == before


def test_the_program_starts_anew_in_a_clean_environment(tmp_path):
    """Python tells which variables it was started with."""
    site = tmp_path / "sitecustomize.py"
    site.write_text("import os, sys\nprint(sorted(n for n in os.environ if 'OPENBLAS' in n), os.getenv('NPROC'))\n")
    environment = {**os.environ, "OPENBLAS_CORETYPE": "Haswell", "PYTHONPATH": str(tmp_path), "NPROC": "7"}
    command = [sys.executable, "-m", "tinygrad_lite", "bench", "reduce", "--quick", "--peers", "none"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    started = [line for line in run.stdout.splitlines() if line.startswith("[")]
    assert "OPENBLAS_CORETYPE" in started[0] and started[0].endswith(" 7")
    assert started[1:] == ["[] 1"]
    assert "OPENBLAS" not in run.stdout.partition(started[1])[2], "no warning is due"
