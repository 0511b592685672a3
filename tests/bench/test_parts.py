"""What the command is made of: timing in turns, ratios, shares, peaks, environment, and rules that agree with peers."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tinygrad_lite_kernels import threads

from tinygrad_lite import devices
from tinygrad_lite.bench import elementwise, gradient, libraries, matmul, optim, peaks, reduce, report, roofline, step
from tinygrad_lite.bench.case import Contestants, Row
from tinygrad_lite.bench.environment import ONE_THREAD, clean
from tinygrad_lite.bench.peaks import Peaks
from tinygrad_lite.bench.rates import losses_agree, rate, share
from tinygrad_lite.bench.timing import Effort, medians

BOTH = Contestants(tuple(map(devices.get, ("cpu", "numpy"))), libraries.load(["numpy"], 1))
positive = st.floats(1e-9, 1e3)


def row(seconds, family="matmul", flops=6e9, size=3e9, losses=None):
    return Row(
        family, "a case", flops, size, dict(zip(("ours", "numpy", "torch"), seconds, strict=False)), losses or {}
    )


@given(st.lists(positive, min_size=1, max_size=3))
def test_ratios_are_multiples_of_our_time(seconds):
    ratios = row(seconds).ratios()
    assert list(ratios) == ["numpy", "torch"][: len(seconds) - 1]
    for name, t in zip(ratios, seconds[1:], strict=True):
        assert ratios[name] * seconds[0] == pytest.approx(t)


@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=5))
def test_geometric_mean(pairs):
    found = report.geometric_mean([row(p) for p in pairs] + [row((1.0,))], "numpy")
    assert found == pytest.approx(math.prod(b / a for a, b in pairs) ** (1 / len(pairs)), rel=1e-6)


@pytest.mark.parametrize("family, wanted, part", [("matmul", 3.0, 0.3), ("reduce", 1.5, 0.75), ("start", None, None)])
def test_rates_and_shares(family, wanted, part):
    found, peak = row((2.0, 1.0), family), Peaks(flops=10e9, bandwidth=2e9)
    assert rate(found) == pytest.approx(wanted) and share(found, peak) == pytest.approx(part)


@pytest.mark.parametrize(
    "losses, agree",
    [
        ({}, True),
        ({"ours": (2.0, 1.0), "numpy": (2.0, 1.0005)}, True),
        ({"ours": (2.0, 1.0), "numpy": (2.0, 1.002)}, False),
        ({"ours": (2.0, 1.0), "numpy": (2.1, 1.0)}, False),
        ({"ours": (2.0, 1.0), "numpy": (2.0, math.nan)}, False),
        ({"ours": (2.0, 1e-7), "numpy": (2.0, 0.0)}, True),
        ({"ours": (2.0, math.nan), "numpy": (2.0, 1.0)}, False),
    ],
)
def test_losses_agree_to_a_thousandth(losses, agree):
    assert losses_agree(row((1.0,), losses=losses)) == agree


def test_lines_have_a_cell_for_each_column():
    rows = [row((1.0, 2.0, 3.0)), row((1.0,))]
    head, *lines = report.head(rows), *report.lines(rows, Peaks(1e10, 1e10))
    assert {len(line) for line in lines} == {len(head)}
    assert head[-2:] == ["numpy x", "torch x"]
    assert lines[0][-2:] == ["2.00", "3.00"] and lines[1][-2:] == ["-", "-"] and lines[2][-2:] == ["2.00", "3.00"]


@given(st.floats(1e-10, 1e4))
def test_durations_read_back(seconds):
    number, unit = report.duration(seconds).split()
    assert float(number) * {"s": 1, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}[unit] == pytest.approx(seconds, rel=6e-3)


def test_functions_are_timed_in_turns():
    calls = []
    runs = {name: (lambda n=name: calls.append(n)) for name in "ab"}
    assert set(medians(runs, Effort(3, 0, 1))) == {"a", "b"}
    assert "".join(calls) == "aaaabbbb" + "ababab"
    calls.clear()
    medians(runs, Effort(3, 1, 1), warm=False)
    assert "".join(calls) == "ababab"


def test_times_are_those_of_one_call():
    found = medians({"short": lambda: time.sleep(2e-3), "long": lambda: time.sleep(20e-3)}, Effort(3, 10e-3, 10))
    assert 1 < found["short"] / 2e-3 < 5 and 1 < found["long"] / 20e-3 < 5


def test_the_longest_time_ends_the_rounds():
    calls = []
    medians({"a": lambda: (calls.append(0), time.sleep(0.01))}, Effort(1000, 0, 0.02))
    assert len(calls) < 20


@given(st.dictionaries(st.sampled_from(["OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "PATH", "NPROC"]), st.text()),
       st.integers(1, 64), st.sampled_from([None, "", "--flag=1", f"--flag=1 {ONE_THREAD}"]))  # fmt: skip
def test_a_clean_environment_stays_as_it_is(environment, count, flags):
    found = clean(environment | ({} if flags is None else {"XLA_FLAGS": flags}), count)
    assert clean(found, count) == found, "or the program would start anew for ever"
    assert not any(name.startswith("OPENBLAS_") for name in found)
    assert found["OMP_NUM_THREADS"] == found["NPROC"] == found["TINYGRAD_LITE_NUM_THREADS"] == str(count)
    assert found.get("PATH") == environment.get("PATH")
    assert (ONE_THREAD in found["XLA_FLAGS"]) == (count == 1) and ("--flag=1" in found["XLA_FLAGS"]) == bool(flags)


@given(st.floats(1e-3, 1e3))
def test_the_roof(intensity):
    peak = Peaks(8e9, 2e9)
    assert peak.attainable(intensity) == (8e9 if intensity >= 4 else pytest.approx(2e9 * intensity))


@pytest.mark.parametrize("count", [1, 2])
def test_peaks_are_those_of_a_computer(monkeypatch, count):
    monkeypatch.setattr(peaks, "ROUNDS", 2)
    threads.set_num_threads(count)
    flops, bandwidth = peaks.measure(count)
    assert 1e8 < flops < 1e13 and 1e8 < bandwidth < 1e13


def test_every_family_has_a_marker():
    assert len(set(roofline.MARKERS.values())) == len(roofline.MARKERS) == 8


@pytest.mark.parametrize("family", [matmul, elementwise, reduce], ids=lambda f: f.__name__.split(".")[-1])
def test_all_compute_the_same(family):
    for case in family.cases(BOTH, quick=True):
        ours, *others = (np.asarray(run()) for run in case.runs.values())
        for other in others:
            np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-2, err_msg=case.label)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_peers_compute_the_same(name):
    pytest.importorskip(name)
    who = Contestants(BOTH.devices[:1], libraries.load([name], 1))
    for family in (elementwise, reduce):
        for case in family.cases(who, quick=True):
            ours, other = (np.asarray(run()) for run in case.runs.values())
            np.testing.assert_allclose(ours, other, rtol=1e-4, atol=1e-2, err_msg=case.label)
    for model in step.QUICK:
        peer, hand = step.PEERS[name](model, who.libraries[name]), step.by_hand(model)
        assert [peer().item() for _ in range(5)] == pytest.approx([hand().item() for _ in range(5)], rel=1e-3)


@pytest.mark.parametrize("names", [["numpy"], ["torch"], ["jax"]], ids=lambda names: names[0])
def test_all_find_the_same_values_and_gradients(names, monkeypatch):
    pytest.importorskip(names[0])
    monkeypatch.setattr(gradient, "SHAPE", (3, 1000))
    who = Contestants(BOTH.devices[:1], libraries.load(names, 1))
    for case in gradient.cases(who, quick=False):
        (y, d), *others = ([values(part) for part in run()] for run in case.runs.values())
        for other_y, other_d in others:
            np.testing.assert_allclose(y, other_y, rtol=1e-4, atol=1e-6, err_msg=case.label)
            np.testing.assert_allclose(d, other_d, rtol=1e-4, atol=1e-6, err_msg=case.label)


def values(x):
    return np.asarray(x.detach() if hasattr(x, "detach") else x)


@pytest.mark.parametrize("name", optim.RULES)
def test_both_forms_of_an_optimizer_are_the_same(name):
    rule = optim.RULES[name]
    params, grads = optim.arrays([(3, 4), (5,)])
    values, state = [p.astype(float) for p in params], [(0 * p, 0 * p) for p in params]
    hand = rule.by_hand(params, grads)
    for count in range(1, 5):
        hand()
        values, state = optim.updated(rule, values, grads, state, count)
    for p, v in zip(params, values, strict=True):
        np.testing.assert_allclose(p, v, rtol=1e-5, atol=1e-6)


def test_the_work_of_a_step():
    """A layer of 3 to 2 and one of 2 to 1, a batch of 10: products forward and backward, none to the inputs."""
    model = step.Model((3, 2, 1), 10, "Adam")
    assert model.parameters == 3 * 2 + 2 + 2 + 1
    assert model.flops == 10 * (2 * 2 * 6 + 3 * 2 * 2) + 12 * 11
