"""The pytest fixture as users have it: in a folder of theirs, with one line in conftest.py."""

import re
import subprocess
import sys
import textwrap

import pytest

import tinygrad_lite as tg
from tinygrad_lite.testing.fixtures import _gradcheck

THEIRS = """
    import tinygrad_lite as tg

    class Wrong(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x * x

        @staticmethod
        def backward(ctx, g):
            return g * 3

    def test_right(gradcheck):
        gradcheck(lambda x, w: tg.tanh(x @ w), (2, 3), (3, 2))

    def test_wrong(gradcheck):
        gradcheck(Wrong.apply, (2,))
"""


@pytest.fixture
def their_folder(tmp_path):
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tinygrad_lite.testing.fixtures"]\n')
    (tmp_path / "test_theirs.py").write_text(textwrap.dedent(THEIRS))
    return tmp_path


def run_pytest(folder, *words):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rf", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_in_a_project_of_theirs(their_folder):
    found = run_pytest(their_folder)
    assert found.returncode == 1
    assert "1 failed, 1 passed" in found.stdout
    assert re.search(r"gradcheck of Wrong.apply: reverse mode: d output 0\[\d] / d input 0\[\d] is wrong: analytic 3, "
                     r"numeric [\d.]+", found.stdout)  # fmt: skip
    assert re.search(r"test_theirs.py:\d+: .*GradcheckError", found.stdout)  # the failing line is theirs
    assert "checks.py" not in found.stdout and "fixtures.py" not in found.stdout


def test_it_is_documented(their_folder):
    text = run_pytest(their_folder, "--fixtures").stdout
    assert re.search(r"^gradcheck.*\n +A function that checks first and second derivatives", text, re.MULTILINE)


def test_nobody_pays_for_it_who_does_not_ask(tmp_path):
    (tmp_path / "test_plain.py").write_text("import sys\ndef test_it(): assert 'tinygrad_lite' not in sys.modules\n")
    assert run_pytest(tmp_path).returncode == 0


# ---- what it does ----


def inputs_seen(gradcheck, *inputs, **options):
    """The first inputs that the function is called with."""
    seen = []

    def function(*xs):
        seen.append(xs)
        return xs[0] * 2

    gradcheck(function, *inputs, **options)
    return seen[0]


def test_shapes_become_tensors(gradcheck):
    x, y, z = inputs_seen(gradcheck, (2, 3), (), (50,), low=1.0, high=1.5)
    assert (x.shape, y.shape, z.shape) == ((2, 3), (), (50,))
    assert all(t.dtype == tg.float64 and t.requires_grad for t in (x, y, z))
    assert z.min().item() >= 1 and z.max().item() <= 1.5 and len(set(z.tolist())) == 50


def test_other_arguments_are_handed_on(gradcheck):
    given = tg.Tensor([1.0], dtype="float64", requires_grad=True), "text", 3, [1, 2]
    x, *rest = inputs_seen(gradcheck, *given)
    assert x.tolist() == [1.0] and rest == ["text", 3, [1, 2]]


def test_the_device(gradcheck):
    assert inputs_seen(gradcheck, (2,), device="numpy")[0].device == "numpy"


def test_values_are_the_same_in_every_run(request, gradcheck):
    again = _gradcheck.__wrapped__(request)
    first, second = (inputs_seen(check, (5,))[0].tolist() for check in (gradcheck, again))
    assert first == second
    assert inputs_seen(gradcheck, (5,))[0].tolist() != first  # and other ones at every call


class SecondWrong(tg.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        x = ctx.saved_tensors[0]
        return g * 3 * x * x.detach()


def test_orders_and_options(gradcheck):
    gradcheck(SecondWrong.apply, (3,), order=1)
    with pytest.raises(tg.GradcheckError, match="second order"):
        gradcheck(SecondWrong.apply, (3,))
    gradcheck(SecondWrong.apply, (3,), rtol=10.0)
    with pytest.raises(tg.GradcheckError, match="fast reverse mode"):
        gradcheck(SecondWrong.apply, (3,), fast_mode=True)
