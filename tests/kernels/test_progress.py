"""The line that shows while kernels compile."""

import io

import pytest
from tinygrad_lite_kernels import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture(params=[Terminal, io.StringIO, None])
def screen(request, monkeypatch):
    stream = request.param() if request.param else None
    monkeypatch.setattr(progress.sys, "stderr", stream)
    monkeypatch.setattr(progress, "count", 0)
    monkeypatch.setattr(progress, "seconds", 0.0)
    return stream


def written(screen):
    return screen.getvalue() if screen else ""


def test_a_line_appears_on_a_terminal_after_some_time_and_goes_away(screen, monkeypatch):
    with progress.compiling():
        pass
    assert written(screen) == "" and progress.count == 1
    monkeypatch.setattr(progress, "seconds", 3.21)
    with progress.compiling():
        during = written(screen)
    after = written(screen)[len(during) :]
    if isinstance(screen, Terminal):
        assert during.startswith("\rcompiling kernels: 2, 3.2 s so far")
        assert not after.strip() and after[0] == after[-1] == "\r" and len(after) > len(during)
    else:
        assert during == after == ""


def test_the_line_goes_away_when_compiling_fails(screen, monkeypatch):
    monkeypatch.setattr(progress, "seconds", 1.0)
    with pytest.raises(ZeroDivisionError), progress.compiling():
        raise ZeroDivisionError
    assert written(screen).endswith("\r") or not written(screen)
