"""The examples in docstrings and in the README run, and what the documents point to exists."""

import doctest
import importlib
import re
from pathlib import Path

import pytest
from test_structure import FILES

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
EXAMPLES = [name for name, path in FILES.items() if ">>>" in path.read_text()]
BLOCKS = [(p.name, block) for p in DOCUMENTS for block in re.findall(r"```python\n(.*?)```", p.read_text(), re.DOTALL)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_in_docstrings(name):
    module = importlib.import_module(name)
    found = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert found.failed == 0


def test_examples_in_documents_run_one_after_another():
    """As someone would who pastes them into one session."""
    scope = {"__name__": "__main__"}
    for document, block in BLOCKS:
        exec(compile(block, document, "exec"), scope)
    assert float(scope["loss"]) < 0.1  # exclusive or has been learned


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda p: p.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} points to {target}"
