"""Times of kernels: of each one, in the right order of size, and as rates of what it does."""

import pytest
from debug_steps import PEAKS, Training

import tinygrad_lite as tg
from tinygrad_lite import debug


@pytest.fixture(autouse=True)
def known_peaks(monkeypatch):
    monkeypatch.setattr("tinygrad_lite.debug.times.peaks", lambda threads: PEAKS)


@tg.jit
def uneven(x, small):
    return x @ x, tg.exp(small), tg.sort(small)


def test_the_large_product_takes_longest():
    profile = debug.profile(uneven, tg.ones((256, 256)), tg.ones(4))
    times = {t.kernel.kind: t.seconds for t in profile.kernels}
    assert max(times, key=times.get) == "matmul"
    assert times["matmul"] > 50 * times["elementwise"]
    assert times["call"] > times["elementwise"]  # Python costs more than a kernel of four numbers
    assert profile.seconds > times["matmul"] / 2
    product = next(t for t in profile.kernels if t.kernel.kind == "matmul")
    assert product.flops == pytest.approx(2 * 256**3 / product.seconds)
    assert product.share(PEAKS) == pytest.approx(max(product.flops / 1e11, product.bandwidth / 2e10))
    assert 1e9 < product.flops < 1e13


def test_steps_that_check_values_come_first_and_do_not_count():
    @tg.jit
    def step(x, y):
        return tg.nn.functional.cross_entropy(x[:, :3], y), x @ x.T

    profile = debug.profile(step, tg.ones((256, 256)), tg.zeros((256,), dtype="int64"))
    assert max(profile.kernels, key=lambda t: t.seconds).kernel.kind == "matmul"


def test_text():
    training = Training()
    profile = debug.profile(training.step, training.x, training.y)
    assert sum(t.seconds for t in profile.kernels) < 3 * profile.seconds
    lines = str(profile).splitlines()
    assert "peaks 100 GFLOP/s, 20.0 GB/s" in lines[0]
    assert len(lines) == 2 + len(debug.plan(training.step, training.x, training.y).kernels)
    assert sum(int(line.split()[-4].rstrip("%")) for line in lines[2:]) == pytest.approx(100, abs=len(lines))


def test_table(capsys):
    debug.profile(tg.jit(lambda x: x + 1), tg.ones(3)).show()
    assert "argument 0 + 1" in capsys.readouterr().out


def test_nothing_to_do():
    assert debug.profile(tg.jit(lambda x: x), tg.ones(3)).kernels == []
