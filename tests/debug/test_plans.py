"""What `tg.debug.plan` says of a plan: work, memory, sources and lines, beside formulas and beside what runs."""

import numpy as np
import pytest
from debug_steps import Training
from hypothesis import given, settings
from hypothesis import strategies as st
from tinygrad_lite_kernels import native
from tinygrad_lite_kernels.cpu import matmul, reduce_kernels
from tinygrad_lite_kernels.cpu.reduce_plan import _kernel as reduce_kernel

import tinygrad_lite as tg
from tinygrad_lite import debug
from tinygrad_lite.compiler.bind import steps
from tinygrad_lite.debug.lookup import Call

sizes = st.integers(1, 20)


@given(m=sizes, k=sizes, n=sizes, dtype=st.sampled_from(["float32", "float64"]))
@settings(max_examples=20)
def test_work_of_a_product(m, k, n, dtype):
    product = tg.jit(lambda a, b: a @ b)
    (kernel,) = debug.plan(product, tg.ones((m, k), dtype=dtype), tg.ones((k, n), dtype=dtype)).kernels
    assert kernel.flops == 2 * m * n * k
    assert kernel.bytes == (m * k + k * n + m * n) * np.dtype(dtype).itemsize


def test_work_of_a_stack_of_products():
    product = tg.jit(lambda a, b: a @ b)
    (kernel,) = debug.plan(product, tg.ones((7, 2, 3)), tg.ones((3, 4))).kernels
    assert (kernel.flops, kernel.bytes) == (2 * 7 * 2 * 3 * 4, 4 * (7 * 2 * 3 + 3 * 4 + 7 * 2 * 4))


def test_what_repeats_is_moved_once_and_comparing_is_no_arithmetic():
    chosen = tg.jit(lambda x, row: tg.where(x > 0, x * row + 2, row))
    (kernel,) = debug.plan(chosen, tg.ones((4, 5)), tg.ones((5,))).kernels
    assert kernel.flops == 2 * 20
    assert 4 * (20 + 5 + 20) <= kernel.bytes <= 4 * (20 + 5 + 20) + 8  # the number 2 may be an operand


def test_an_argument_that_repeats_in_memory():
    (kernel,) = debug.plan(tg.jit(lambda x: x + 1), tg.broadcast_to(tg.ones((3, 1)), (3, 50))).kernels
    assert kernel.bytes - 4 * (3 + 150) in (0, 4)  # the number 1 may be an operand


def test_work_of_a_product_with_what_follows():
    layer = tg.jit(lambda a, b, bias: tg.relu(a @ b + bias))
    (kernel,) = debug.plan(layer, tg.ones((32, 16)), tg.ones((16, 24)), tg.ones((24,))).kernels
    assert kernel.kind == "matmul_then"
    assert kernel.flops == 2 * 32 * 16 * 24 + 2 * 32 * 24
    assert kernel.bytes == 4 * (32 * 16 + 16 * 24 + 24 + 32 * 24)


def test_rows_move_only_what_others_see():
    (kernel,) = debug.plan(tg.jit(lambda x: tg.softmax(x, axis=1)), tg.ones((256, 1000))).kernels
    assert kernel.kind == "rows"
    assert kernel.bytes == 2 * 4 * 256_000
    assert kernel.flops == 256 * (999 + 999) + 3 * 256_000  # max and sum; subtract, exp, divide
    assert kernel.text.count("\n") == 4  # the largest; exponentials and their sum; quotients
    assert "exp_float32" in kernel.source
    assert native.source_of(reduce_kernels.rows_kernel).rstrip() in kernel.source


@pytest.mark.parametrize("count", [2, 3, 6])
def test_peak_of_a_chain_of_products(count):
    """However long it is, two results live at once, the last one of which is returned."""

    @tg.jit
    def chain(x):
        y = x
        for _ in range(count):
            y = y @ x
        return y

    memory = debug.plan(chain, tg.ones((16, 16))).memory
    assert memory.peak == min(count - 1, 2) * 1024
    assert memory.size == memory.peak
    assert [(b.first, b.last) for b in memory.buffers] == [(i, min(i + 1, count - 1)) for i in range(count)]
    assert [b.place is None for b in memory.buffers] == [False] * (count - 1) + [True]


def test_buffers_that_live_at_once_lie_apart():
    training = Training()
    memory = debug.plan(training.step, training.x, training.y).memory
    inside = [b for b in memory.buffers if b.place is not None]
    assert len(inside) > 5
    for i, a in enumerate(inside):
        assert a.place >= 0 and a.place + a.bytes <= memory.size
        for b in inside[:i]:
            at_once = a.first <= b.last and b.first <= a.last
            assert not at_once or a.place + a.bytes <= b.place or b.place + b.bytes <= a.place
    assert 0 < memory.peak <= memory.size


def test_sources_are_what_was_compiled():
    """The printed text gives the very address that the plan calls."""
    training = Training()
    compiled = Call("plan", training.step, (training.x, training.y), {}).compiled()
    report = debug.plan(training.step, training.x, training.y)
    kinds = set()
    for kernel in report.kernels:
        run = steps(kernel.node, compiled.plan.stand_in)[0].run
        address = run.kept.record[0] if kernel.kind == "matmul_then" else run.record[0]
        kinds.add(kernel.kind)
        if kernel.kind == "reduce":
            view, (name, _, _) = kernel.node.reads[0], kernel.node.what
            (function,) = [
                f
                for f in (reduce_kernels.rows_kernel, reduce_kernels.columns_kernel)
                if native.source_of(f).rstrip() in kernel.source
            ]
            assert reduce_kernel(function, name, view.dtype, kernel.node.writes[0].dtype) == address
        elif kernel.kind != "matmul":
            assert any(_address_of(text, kernel) == address for text in _functions(kernel.source))
    assert {"elementwise", "reduce", "matmul_then"} <= kinds


def _functions(source):
    return ["def kernel" + part.rstrip() + "\n" for part in source.split("def kernel")[1:]]


def _address_of(text, kernel):
    from tinygrad_lite_kernels.cpu import elementwise

    from tinygrad_lite.debug.source import _arrays

    writes, reads, program = kernel.node.writes, _arrays(kernel.node.reads), kernel.node.what
    if kernel.kind == "matmul_then":
        reads, program = reads[2:], program.program
        reads.insert(kernel.node.what.at, np.empty(writes[0].shape, np.float32))
    printed = elementwise.printed(program, _arrays(writes), reads)
    return native.kernel(printed) if printed.source.rstrip() == text.rstrip() else None


def test_explanation_holds_stages_lines_and_sources():
    training = Training()
    text = debug.explain(training.step, training.x, training.y)
    places = [
        text.index(f"---- {name} ----") for name in ("traced", "simplified", "fused", "epilogues", "rows", "plan")
    ]
    assert places == sorted(places)
    assert native.source_of(matmul.kernel).rstrip() in text
    assert "tanh_float32(" in text
    assert "3.weight" in text and "exp_avg of 0.weight" in text and "numbers of Adam" in text
    report = debug.plan(training.step, training.x, training.y)
    assert len(report.stages["traced"].splitlines()) > len(report.stages["rows"].splitlines())
    lines = {line.split(": ", 1)[1] for kernel in report.kernels for line in kernel.lines}
    assert {"self.optimizer.step()", "loss.backward()", "return loss"}.intersection(lines)
    assert all(line.startswith("debug_steps.py:") for kernel in report.kernels for line in kernel.lines)


def test_what_runs_through_python_is_marked():
    report = debug.plan(tg.jit(lambda x: tg.sort(x) + 1), tg.ones(4))
    assert [k.native for k in report.kernels] == [False, True]
    assert "def sort" in report.kernels[0].source
    assert "(Python)" in str(report)


def test_reference_device():
    report = debug.plan(tg.jit(lambda x: tg.exp(x) @ x), tg.ones((3, 3), device="numpy"))
    assert [k.native for k in report.kernels] == [False, False]
    assert report.kernels[1].flops == 54
    assert "def matmul" in report.kernels[1].source


@pytest.mark.parametrize(
    "function", [lambda x: x, lambda x: x.sum(), lambda x: x[:0] + 1, lambda x: tg.ones(3)], ids=range(4)
)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_little_functions(function, shape):
    if shape == () and function(tg.ones((2, 3))).shape == (0, 3):
        shape = (1,)
    report = debug.plan(tg.jit(function), tg.ones(shape))
    assert report.explain() and str(report) and report.svg().startswith("<svg")


def test_methods_and_options():
    class Scaled:
        factor = 3.0

        @tg.jit
        def apply(self, x, *, shift):
            return x * self.factor + shift

    scaled = Scaled()
    assert debug.plan(scaled.apply, tg.ones(2), shift=1).kernels[0].flops == 4
    assert scaled.apply(tg.ones(2), shift=1).tolist() == [4, 4]
    assert Scaled.apply.traces == 1  # looking made the plan that the call used


@pytest.mark.parametrize("name", ["plan", "explain", "why", "traces", "profile", "find_nan"])
def test_functions_that_are_not_jitted(name):
    with pytest.raises(TypeError, match=r"debug\.\w+: looks into functions made by tg\.jit, got function"):
        getattr(debug, name)(lambda x: x)


def test_pictures():
    report = debug.plan(tg.jit(lambda x, w: (x @ w).sum()), tg.ones((2, 3)), tg.ones((3, 2)))
    lines = report.dot().splitlines()
    assert [line.split('"')[1] for line in lines if "label" in line] == [
        "%0 = argument 0 @ argument 1", "result 0 = sum(%0, axis=(0, 1))",
        "argument 0: float32[2, 3]", "argument 1: float32[3, 2]",
    ]  # fmt: skip
    assert {line.strip() for line in lines if "->" in line} == {"n2 -> n0;", "n3 -> n0;", "n0 -> n1;"}
    assert report.svg("traced").count("<rect") == 4
    with pytest.raises(ValueError, match="'later' is not known; known: 'traced', 'simplified'"):
        report.dot("later")


def test_signs_that_mean_something_in_dot_are_escaped():
    report = debug.plan(tg.jit(lambda x: x < 1), tg.ones(2))
    assert r"(argument 0 \< 1" in report.dot()


def test_tables_without_rich(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "rich.console", None)
    report = debug.plan(tg.jit(lambda x: x + 1), tg.ones(2))
    report.show()
    assert capsys.readouterr().out.strip() == "\n".join(str(report).split("\n\n")).strip()
