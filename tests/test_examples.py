"""Every example runs, and prints what its first lines say."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def shown(text):
    """What was printed, without times (which differ) and pictures (whose edges may): its words, and its numbers."""
    lines = [re.sub(r"[\d.]+ m?s\b", "", line) for line in text.splitlines()]
    text = " ".join(line for line in lines if NUMBER.search(line))
    return NUMBER.sub("", text).split(), [float(n) for n in NUMBER.findall(text)]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_example(path):
    run = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    indented = [line for line in ast.get_docstring(ast.parse(path.read_text())).splitlines() if line[:4] == "    "]
    words, numbers = shown(run.stdout)
    promised_words, promised_numbers = shown("\n".join(indented))
    assert words == promised_words
    assert numbers == pytest.approx(promised_numbers, rel=0.02, abs=0.02)
