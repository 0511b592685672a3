"""The training command as people use it: results, resuming, being killed, and what bad input gets."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from tinygrad_lite import io
from tinygrad_lite.cli import main

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
PNG = b"\x89PNG\r\n\x1a\n"
QUICK = ["--hidden", "16", "--epochs", "4", "--quiet"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write_csv(path, rows, header):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def read(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def flowers(count=120, seed=0):
    """Two kinds that a colour and a length tell apart."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, count)
    lengths = rng.normal(2 + 3 * kinds, 0.3)
    colours = np.where(rng.random(count) < 0.9, np.where(kinds, "red", "blue"), "white")
    return [[f"{n:.4f}", c, "rose" if k else "iris"] for n, c, k in zip(lengths, colours, kinds, strict=True)]


HEADER = ["length", "colour", "kind"]


def test_digits(capsys, tmp_path):
    assert main(["train", "digits", "--epochs", "25", "--out", "out", "--quiet"]) == 0
    accuracy = json.loads((tmp_path / "out/results.json").read_text())["accuracy"]
    assert accuracy >= 0.95
    assert f"test accuracy {accuracy:.4f} on 360 rows" in capsys.readouterr().out
    for picture in ("curves.png", "confusion.png"):
        assert (tmp_path / "out" / picture).read_bytes().startswith(PNG)
    rows = read("out/history.csv")
    assert len(rows) == 25
    assert float(rows[-1]["train_loss"]) < float(rows[0]["train_loss"]) / 3


def test_classes_of_a_csv_file_and_their_prediction(capsys, tmp_path):
    path = write_csv("flowers.csv", flowers(), HEADER)
    assert main(["train", path, "--target", "kind", "--out", "out", "--epochs", "40", "--quiet"]) == 0
    assert json.loads((tmp_path / "out/results.json").read_text())["accuracy"] >= 0.95
    new = flowers(50, seed=1)
    unknown = write_csv("new.csv", [row[:2] for row in new], HEADER[:2])
    assert main(["predict", "out/model.safetensors", unknown, "--out", "answers.csv"]) == 0
    answers = read("answers.csv")
    assert np.mean([a["kind"] == row[2] for a, row in zip(answers, new, strict=True)]) >= 0.95
    assert abs(float(answers[0]["p(iris)"]) + float(answers[0]["p(rose)"]) - 1) < 1e-5
    capsys.readouterr()
    assert main(["predict", "out/model.safetensors", unknown]) == 0
    assert capsys.readouterr().out == (tmp_path / "answers.csv").read_text()


def test_regression_of_an_npz_file(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    y = 100 + 20 * x[:, 0] - 10 * x[:, 1]
    np.savez("line.npz", X=x, y=y)
    assert (
        main(["train", "line.npz", "--out", "out", "--epochs", "60", "--hidden", "32", "--lr", "0.01", "--quiet"]) == 0
    )
    results = json.loads((tmp_path / "out/results.json").read_text())
    assert results["r2"] > 0.98 and results["rmse"] < 4
    assert (tmp_path / "out/predictions.png").read_bytes().startswith(PNG)
    assert main(["predict", "out/model.safetensors", "line.npz", "--out", "answers.csv"]) == 0
    found = np.loadtxt("answers.csv", skiprows=1)
    assert np.sqrt(np.mean((found - y) ** 2)) < 4


def test_the_task_can_be_chosen(tmp_path):
    rows = [[i, i % 7] for i in range(100)]
    path = write_csv("numbers.csv", rows, ["x", "y"])
    assert main(["train", path, "--target", "y", "--out", "a", *QUICK]) == 0
    assert "accuracy" in json.loads((tmp_path / "a/results.json").read_text())
    assert main(["train", path, "--target", "y", "--task", "regression", "--out", "b", *QUICK]) == 0
    assert "r2" in json.loads((tmp_path / "b/results.json").read_text())


def test_the_numpy_device_learns_the_same(tmp_path):
    path = write_csv("flowers.csv", flowers(), HEADER)
    for device in ("cpu", "numpy"):
        assert main(["train", path, "--target", "kind", "--out", device, "--device", device, *QUICK]) == 0
    a, b = (io.load(f"{device}/model.safetensors") for device in ("cpu", "numpy"))
    for name in a:
        np.testing.assert_allclose(a[name].numpy(), b[name].numpy(), rtol=1e-3, atol=1e-4)


# ---- going on after an interruption ----

START = [sys.executable, "-m", "tinygrad_lite", "train", "digits", "--hidden", "32", "--epochs", "12"]
OPTIONS = ["--patience", "12", "--quiet"]


def weights(path):
    return {name: t.numpy() for name, t in io.load(path).items()}


def assert_equal_weights(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert np.array_equal(a[name], b[name]), name


def test_resuming_gives_the_same_weights(tmp_path):
    command = ["train", "digits", "--hidden", "32", *OPTIONS]
    assert main([*command, "--epochs", "6", "--out", "whole"]) == 0
    assert main([*command, "--epochs", "3", "--out", "parts"]) == 0
    assert main([*command, "--epochs", "6", "--out", "parts", "--resume"]) == 0
    for file in ("model.safetensors", "checkpoint.safetensors"):
        assert_equal_weights(weights(f"whole/{file}"), weights(f"parts/{file}"))


def test_being_killed_at_any_moment(tmp_path):
    assert main([*START[3:], *OPTIONS, "--out", "whole"]) == 0
    rng = np.random.default_rng(0)
    for attempt in range(4):
        resume = ["--resume"] if (tmp_path / "killed/checkpoint.safetensors").exists() else []
        child = subprocess.Popen([*START, *OPTIONS, "--out", "killed", *resume], stdout=subprocess.DEVNULL)
        time.sleep(1.0 + 2.0 * rng.random() + 0.3 * attempt)
        child.kill()
        child.wait()
        for file in (tmp_path / "killed").glob("*.safetensors"):
            weights(file)  # whole, whichever it is
    resume = ["--resume"] if (tmp_path / "killed/checkpoint.safetensors").exists() else []
    assert main([*START[3:], *OPTIONS, "--out", "killed", *resume]) == 0
    assert_equal_weights(weights("whole/model.safetensors"), weights("killed/model.safetensors"))


def test_control_c_keeps_what_there_is(tmp_path):
    child = subprocess.Popen(
        [*START[:-1], "100000", "--patience", "100000", "--out", "out"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    while not (tmp_path / "out/checkpoint.safetensors").exists():
        assert child.poll() is None
        time.sleep(0.05)
    child.send_signal(signal.SIGINT)
    text = child.communicate()[0]
    assert child.returncode == 130
    assert "interrupted after epoch" in text and "go on with --resume" in text
    weights(tmp_path / "out/model.safetensors")


# ---- what bad input gets ----


def sentence(capsys, *arguments):
    assert main(list(arguments)) == 2
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("tinygrad-lite: ")
    return lines[0].removeprefix("tinygrad-lite: ")


BAD_TABLES = {
    "no rows": ("a,b\n", "has a header but no rows"),
    "empty": ("", "is empty; it needs a header row"),
    "twice": ("a,a,b\n1,2,3\n", "the header has column 'a' twice"),
    "ragged": ("a,b\n1,2\n3\n", "line 3 has 1 values, the header 2 columns"),
    "hole": ("a,b\n1,2\n,3\n", "column 'a' is empty in line 3"),
    "nan": ("a,b\n1,2\nnan,3\n", "'a' has nan in line 3"),
    "infinity": ("a,b\n1,2\n3,-inf\n", "'b' has -inf in line 3"),
    "missing": ("a,c\n1,2\n3,4\n", "has no column 'b' (--target); its columns are 'a', 'c'"),
    "few": ("a,b\n1,2\n3,4\n", "has 2 rows; at least 10 are needed"),
    "one class": ("a,b\n" + "1,x\n2,x\n" * 10, "'b' has only one class, 'x'"),
    "nothing but the target": ("b\n" + "1\n2\n" * 10, "has no column besides the target 'b'"),
    "many texts": ("a,b\n" + "".join(f"t{i},{i % 2}\n" for i in range(80)), "has 80 different texts, at most 50"),
    "binary": ("a,b\0\n1,2\n", "is not a text file"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables(capsys, case):
    text, expected = BAD_TABLES[case]
    with open("bad.csv", "w", newline="") as file:
        file.write(text)
    assert expected in sentence(capsys, "train", "bad.csv", "--target", "b", "--out", "out")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "absent.csv", "--target", "b"], "absent.csv does not exist"),
        (["train", "absent.npz"], "absent.npz does not exist"),
        (["train", "mnist"], "'mnist' is neither `digits` nor a .csv or .npz file"),
        (["train", "digits", "--lr", "-1"], "argument --lr: must be a positive number, got '-1'"),
        (["train", "digits", "--hidden", "8,x"], "argument --hidden: must be positive integers with commas"),
        (["train", "digits", "--dropout", "1"], "argument --dropout: must be a number from 0 to below 1"),
        (["train", "digits", "--device", "tpu"], "argument --device: invalid choice: 'tpu'"),
        (["train", "digits", "--resume", "--out", "new"], "there is no checkpoint in new"),
        (["predict", "absent.safetensors", "x.csv"], "absent.safetensors does not exist"),
        (["nonsense"], "invalid choice: 'nonsense'"),
    ],
)
def test_bad_arguments(capsys, arguments, expected):
    assert expected in sentence(capsys, *arguments)


def test_bad_files(capsys, tmp_path):
    path = write_csv("flowers.csv", flowers(), HEADER)
    (tmp_path / "latin.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    assert "is not a text file in UTF-8" in sentence(capsys, "train", "latin.csv", "--target", "b")
    assert "name the column to learn with --target" in sentence(capsys, "train", path)
    (tmp_path / "file").write_text("")
    assert "cannot write there" in sentence(capsys, "train", path, "--target", "kind", "--out", "file")
    assert main(["train", path, "--target", "kind", "--out", "out", *QUICK]) == 0
    capsys.readouterr()
    model = (tmp_path / "out/model.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(model[: len(model) // 2])
    assert "cannot be used as a model" in sentence(capsys, "predict", "cut.safetensors", path)
    io.save({"w": np.zeros(3)}, "foreign.safetensors")
    assert "is not a model of `tinygrad-lite train`" in sentence(capsys, "predict", "foreign.safetensors", path)
    other = write_csv("other.csv", [["1.0"]], ["width"])
    assert "lacks 2 of the columns" in sentence(capsys, "predict", "out/model.safetensors", other)
    strange = write_csv("strange.csv", [["1.0", "green"]], HEADER[:2])
    assert "'green' in row 0, which was not in training" in sentence(
        capsys, "predict", "out/model.safetensors", strange
    )
    assert "other data or settings" in sentence(
        capsys, "train", path, "--target", "kind", "--out", "out", "--resume", "--hidden", "8", "--epochs", "9"
    )
    assert (tmp_path / "out/model.safetensors").read_bytes() == model


def test_missing_extras(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors", None)
    assert "pip install 'tinygrad_lite[train]'" in sentence(capsys, "train", "digits")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(capsys, tmp_path):
    (tmp_path / "closed").mkdir(mode=0o500)
    assert "cannot write there" in sentence(capsys, "train", "digits", "--out", "closed/out")


def test_info(capsys):
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    for word in ("numba", "processor", "threads", "kernel cache", "GPU"):
        assert word in text
