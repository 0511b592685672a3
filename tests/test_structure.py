"""What the design promises of the files: no circles, nothing imported from above, and importing costs little."""

import ast
import json
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = {"tinygrad_lite": ROOT / "tinygrad_lite", "tinygrad_lite_kernels": ROOT / "kernels"}
FLOORS = [
    "tinygrad_lite_kernels",
    "tinygrad_lite.scalar tinygrad_lite.devices tinygrad_lite.dtypes tinygrad_lite.errors",
    "tinygrad_lite.tensor tinygrad_lite.autograd tinygrad_lite.ops tinygrad_lite.interchange",
    "tinygrad_lite.func tinygrad_lite.gradient_check tinygrad_lite.nn tinygrad_lite.optim tinygrad_lite.compiler",
    "tinygrad_lite.testing tinygrad_lite.train tinygrad_lite.data tinygrad_lite.plots tinygrad_lite.io "
    "tinygrad_lite.bench tinygrad_lite.debug tinygrad_lite.machine tinygrad_lite.table",
    "tinygrad_lite.cli",
]
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}


def modules():
    """Every module's name and file."""
    for package, folder in PACKAGES.items():
        for path in folder.rglob("*.py"):
            parts = [package, *path.relative_to(folder).with_suffix("").parts]
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


FILES = dict(modules())


def imported(name, path):
    """The modules of ours that a file imports when it is imported; those inside functions wait."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.ImportFrom):
            base = package.rsplit(".", node.level - 1)[0] if node.level else ""
            home = ".".join(p for p in (base, node.module) if p)
            for alias in node.names:
                yield from (m for m in (f"{home}.{alias.name}", home) if m in FILES)


def floor(name):
    return next((FLOOR[p] for p in (name, ".".join(name.split(".")[:2]), name.split(".")[0]) if p in FLOOR), None)


IMPORTS = {name: {m for m in imported(name, path) if m != name} for name, path in FILES.items()}


def test_no_circles():
    """A package's __init__ stands for what it exports, so only files count."""
    files = {n: {m for m in found if FILES[m].name != "__init__.py"} for n, found in IMPORTS.items()}
    TopologicalSorter(files).prepare()


def test_nobody_imports_from_a_floor_above():
    upwards = [(a, b) for a, found in IMPORTS.items() for b in found
               if None not in (floor(a), floor(b)) and floor(a) < floor(b)]  # fmt: skip
    assert upwards == []
    outside = {"tinygrad_lite", *(f"tinygrad_lite.{m}" for m in ("__main__", "namespace", "printing"))}
    assert {n for n in FILES if floor(n) is None} == outside


def test_every_folder_is_installed():
    """setuptools takes the packages that are listed and no others."""
    listed = re.search(r"^packages = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE)
    packages = {name for name, path in FILES.items() if path.name == "__init__.py"}
    assert set(re.findall(r'"(.*?)"', listed[1])) == packages


def test_importing_needs_numpy_alone():
    """Numba is imported when something has to be compiled; nothing else ever."""
    code = "import sys; before = set(sys.modules); import tinygrad_lite, json; print(json.dumps(list(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.split(".")[0] for name in json.loads(run.stdout)} - set(sys.stdlib_module_names)
    roots = {r for r in roots if not r.startswith(("_", "encodings", "sitecustomize", "distutils"))}
    assert roots <= {"numpy", "numba", "llvmlite", "tinygrad_lite", "tinygrad_lite_kernels"}


def test_no_file_is_long():
    long = {name: n for name, path in FILES.items() if (n := path.read_text().count("\n")) > 500}
    assert long == {}
