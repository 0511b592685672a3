"""`tinygrad-lite gradcheck` as people use it: all operations, functions of their own, and what bad input gets."""

import re
import subprocess
import sys
import textwrap

import pytest

from tinygrad_lite.cli import main
from tinygrad_lite.ops.primitive import REGISTRY
from tinygrad_lite.testing.samples import OPERATIONS

FUNCTIONS = """
    import tinygrad_lite as tg

    class Square(tg.Function):
        factor = 2

        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @classmethod
        def backward(cls, ctx, g):
            return g * ctx.saved_tensors[0] * cls.factor

    class Wrong(Square):
        factor = 2.002

    class Narrow(Square):
        @staticmethod
        def backward(ctx, g):
            return g.sum()

    def good(x, w, scale=1.0):
        return tg.tanh(x @ w) * scale

    def wrong(x):
        return Wrong.apply(x).sum(axis=0)

    def only_the_second_derivative_is_wrong(x):
        return Later.apply(x)

    class Later(Square):
        @staticmethod
        def backward(ctx, g):
            return Scaled.apply(g * ctx.saved_tensors[0] * 2)

    class Scaled(tg.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1

        @staticmethod
        def backward(ctx, g):
            return g * 1.001

    def with_its_own_tensors(x):
        return x * tg.Tensor([1.0, 2.0, 3.0], dtype="float64")

    def root(x):
        return tg.sqrt(x)

    def counts(x):
        return x.shape

    def whole(x):
        return x.astype(tg.int64)

    def fails(x):
        raise LookupError("no such word")

    table = {}
"""


@pytest.fixture(autouse=True)
def _a_module_in_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "their_functions.py").write_text(textwrap.dedent(FUNCTIONS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    sys.modules.pop("their_functions", None)


def gradcheck(capsys, *words):
    """Exit code, and what was printed."""
    code = main(["gradcheck", "--device", "numpy", *words])
    return code, capsys.readouterr().out


def table(text):
    """The lines of the table: name to (first order, second order, verdict)."""
    cells = [[c.strip() for c in re.split("[│|]", line)[1:-1]] for line in text.splitlines() if line.startswith("│")]
    return {name: rest for name, *rest in cells}


# ---- the library's operations ----


def test_every_differentiable_operation_is_checked(capsys):
    code, text = gradcheck(capsys, "--fast")
    rows = table(text)
    assert code == 0
    assert set(rows) == {o.name for o in OPERATIONS.values() if o.order}
    assert {verdict for *_, verdict in rows.values()} == {"ok"}
    assert max(float(first) for first, *_ in rows.values()) < 1e-6
    assert f"{len(rows)} of {len(rows)} passed on device numpy" in text


def test_operations_by_part_of_their_name(capsys):
    code, text = gradcheck(capsys, "--op", "softmax", "--op", "matmul", "--order", "1")
    rows = table(text)
    assert code == 0 and "matmul" in rows and "log_softmax" in rows
    assert all("softmax" in name or name == "matmul" for name in rows)
    assert {second for _, second, _ in rows.values()} == {"-"}


def test_on_compiled_kernels(capsys):
    assert main(["gradcheck", "--op", "square", "--fast"]) == 0
    assert "1 of 1 passed on device cpu" in capsys.readouterr().out


def test_a_wrong_operation_fails_the_command(capsys, monkeypatch):
    right = REGISTRY["tanh"].backward
    monkeypatch.setattr(REGISTRY["tanh"], "backward", lambda node, gs: [d * 1.001 for d in right(node, gs)])
    code, text = gradcheck(capsys, "--op", "tanh", "--op", "exp")
    rows = table(text)
    assert code == 1
    assert rows["tanh"][-1] == "WRONG" and rows["exp"][-1] == "ok"
    assert re.search(r"gradcheck of tanh: reverse mode: d output 0\[\d, \d] / d input 0\[\d, \d] is wrong", text)
    assert "gradcheck of exp" not in text


def test_an_operation_that_raises_is_wrong_and_the_others_are_still_checked(capsys, monkeypatch):
    def broken(node, gradients):
        raise ZeroDivisionError("in the rule")

    monkeypatch.setattr(REGISTRY["sin"], "backward", broken)
    code, text = gradcheck(capsys, "--op", "sin", "--op", "sqrt", "--fast")
    assert code == 1
    assert table(text)["sin"][-1] == "WRONG" and table(text)["sqrt"][-1] == "ok"
    assert "sin: ZeroDivisionError: in the rule" in text


def test_an_operation_without_an_entry_is_not_passed_over(capsys, monkeypatch):
    monkeypatch.setattr("tinygrad_lite.testing.samples.OPERATIONS", {"exp": OPERATIONS["exp"]})
    code, text = gradcheck(capsys, "--fast")
    assert code == 1
    assert table(text)["exp"][-1] == "ok" and table(text)["tanh"] == ["-", "-", "WRONG"]
    assert "tanh: is registered, but has no entry in testing/samples.py" in text


# ---- the user's function ----


def test_a_good_function(capsys):
    code, text = gradcheck(capsys, "their_functions:good", "--inputs", "2x3,3x4")
    first, second, verdict = table(text)["their_functions:good"]
    assert (code, verdict) == (0, "ok")
    assert float(first) < 1e-8 and float(second) < 1e-8


def test_inputs_have_shape_2x3_where_nothing_is_said(capsys):
    assert gradcheck(capsys, "their_functions:Square.apply")[0] == 0
    assert gradcheck(capsys, "their_functions:good")[0] == 2  # (2, 3) @ (2, 3): both required parameters are given


@pytest.mark.parametrize("options", [["--inputs", "3"], ["--inputs", "-"], ["--inputs", "0x2"], ["--fast"]])
def test_shapes_and_projections(capsys, options):
    assert gradcheck(capsys, "their_functions:Square.apply", *options)[0] == 0
    if "0x2" not in options:  # without elements nothing can be wrong
        assert gradcheck(capsys, "their_functions:Wrong.apply", *options)[0] == 1


def test_a_wrong_function(capsys):
    code, text = gradcheck(capsys, "their_functions:wrong", "--inputs", "2x3", "--seed", "3")
    assert code == 1
    assert table(text)["their_functions:wrong"][-1] == "WRONG"
    found = re.search(r"of wrong: reverse mode: d output 0\[(\d)] / d input 0\[\d, (\d)] is wrong: analytic (\S+), "
                      r"numeric (\S+),", text)  # fmt: skip
    assert found and found[1] == found[2]
    assert float(found[3]) == pytest.approx(1.001 * float(found[4]), rel=1e-6)


def test_the_order_decides_what_is_checked(capsys):
    """Forward mode runs through the second derivative, so the first order finds this too."""
    name = "their_functions:only_the_second_derivative_is_wrong"
    code, text = gradcheck(capsys, name)
    assert code == 1 and "second order, reverse mode" in text and "forward mode" in text
    code, text = gradcheck(capsys, name, "--order", "1")
    assert code == 1 and "second order, reverse mode" not in text and "forward mode" in text


def test_the_device_holds_for_tensors_that_the_function_makes(capsys):
    assert gradcheck(capsys, "their_functions:with_its_own_tensors")[0] == 0


def test_values_are_chosen_between_two_numbers(capsys):
    code, text = gradcheck(capsys, "their_functions:root")
    assert code == 1
    assert re.search(r"output 0\[\d, \d] is nan, where differences mean nothing", text)
    assert gradcheck(capsys, "their_functions:root", "--between", "0.5", "2")[0] == 0


def test_a_backward_of_the_wrong_shape_is_a_failed_check(capsys):
    code, text = gradcheck(capsys, "their_functions:Narrow.apply")
    assert code == 1
    assert "RuntimeError: Narrow.backward: the gradient of argument 0 must be a tensor of shape (2, 3)" in text


# ---- bad input ----

MODULE = "their_functions"
SENTENCES = [
    ([f"{MODULE}:goood"], "their_functions has no goood; did you mean good?"),
    ([f"{MODULE}:Square.aply"], "their_functions.Square has no aply; did you mean apply?"),
    ([f"{MODULE}"], "the function must be given as module:name, got 'their_functions'"),
    ([f"{MODULE}:"], "must be given as module:name"),
    ([f"{MODULE}:Square"], "is a class; name a function, or their_functions:Square.apply of a tg.Function"),
    ([f"{MODULE}:table"], "is not a function but of type dict"),
    (["no_such_module:f"], "importing no_such_module failed: ModuleNotFoundError"),
    ([f"{MODULE}:fails"], "called with inputs of shapes (2, 3): LookupError: no such word"),
    ([f"{MODULE}:good", "--inputs", "2"], "shapes (2,): TypeError: good() missing 1 required positional argument: 'w'"),
    ([f"{MODULE}:good", "--inputs", "2x3,2"], "shapes (2, 3), (2,): ValueError: matmul"),
    ([f"{MODULE}:counts"], "returned no float tensor"),
    ([f"{MODULE}:whole"], "returned no float tensor"),
    ([f"{MODULE}:good", "--inputs", "2x,3"], """--inputs must be shapes like "3x4,4" ("-" for a single number)"""),
    ([f"{MODULE}:good", "--inputs", "-2"], "--inputs"),
    ([f"{MODULE}:good", "--inputs", ""], "--inputs must be shapes"),
    ([f"{MODULE}:root", "--inputs", "9999999999999"], "--inputs 9999999999999: "),
    ([f"{MODULE}:root", "--between", "2", "1"], "--between must be two finite numbers, the smaller first, got 2.0 1.0"),
    ([f"{MODULE}:root", "--between", "0", "inf"], "--between must be two finite numbers"),
    ([f"{MODULE}:root", "--seed", "-1"], "must be an integer that is not negative, got '-1'"),
    ([f"{MODULE}:root", "--order", "3"], "invalid choice: 3"),
    ([f"{MODULE}:root", "--op", "exp"], "--op is for the library's own operations"),
    (["--inputs", "3"], "--inputs and --between are for your own function"),
    (["--op", "exp", "--op", "softmx"], "has this in its name; similar: softmax"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "sentence"), SENTENCES, ids=[" ".join(w) for w, _ in SENTENCES])
def test_bad_input_gets_one_sentence(capsys, words, sentence):
    assert main(["gradcheck", *words]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert error.startswith("tinygrad-lite: ") and error.count("\n") == 1
    assert sentence in error


def test_a_module_that_exits_while_imported(capsys, tmp_path):
    (tmp_path / "quits.py").write_text("raise SystemExit(0)")
    assert main(["gradcheck", "quits:f"]) == 2
    assert "importing quits failed: SystemExit" in capsys.readouterr().err


def test_without_rich_the_table_is_plain(capsys, monkeypatch):
    for module in ("rich", "rich.console", "rich.table", "rich.progress"):
        monkeypatch.setitem(sys.modules, module, None)
    code, text = gradcheck(capsys, "--op", "exp", "--fast")
    assert code == 0
    assert re.search(r"^exp +\d\.\de-\d\d +\d\.\de-\d\d +ok$", text, re.MULTILINE)


def test_from_a_shell():
    """The current folder is where modules are found, and there is no traceback."""
    command = [sys.executable, "-m", "tinygrad_lite", "gradcheck", "--device", "numpy"]
    wrong = subprocess.run([*command, "their_functions:wrong"], capture_output=True, text=True)
    assert (wrong.returncode, wrong.stderr) == (1, "")
    unknown = subprocess.run([*command, "their_functions:x"], capture_output=True, text=True)
    assert unknown.returncode == 2
    assert unknown.stderr.startswith("tinygrad-lite: ") and "Traceback" not in unknown.stderr


def test_functions_of_the_library_itself(capsys):
    assert gradcheck(capsys, "tinygrad_lite:softmax", "--inputs", "3")[0] == 0
    assert gradcheck(capsys, "tinygrad_lite:tanh", "--inputs", "3")[0] == 0
