"""The line that shows while kernels compile."""

import io

import pytest
from tinygrad_lite_kernels import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


KINDS = pytest.mark.parametrize("kind", [Terminal, io.StringIO, lambda: None])


def screen_of(kind, monkeypatch, seconds):
    """A stream of that kind as standard error, after so many seconds of compiling one kernel."""
    stream = kind()
    monkeypatch.setattr(progress.sys, "stderr", stream)
    monkeypatch.setattr(progress, "count", 1)
    monkeypatch.setattr(progress, "seconds", seconds)
    return stream


def written(screen):
    return screen.getvalue() if screen else ""


@KINDS
def test_a_line_appears_on_a_terminal_and_goes_away(kind, monkeypatch):
    screen = screen_of(kind, monkeypatch, 3.21)
    with progress.compiling():
        during = written(screen)
    after = written(screen)[len(during) :]
    if isinstance(screen, Terminal):
        assert during.startswith("\rcompiling kernels: 2, 3.2 s so far")
        assert not after.strip() and after[0] == after[-1] == "\r" and len(after) > len(during)
    else:
        assert during == after == ""
    assert progress.count == 2 and progress.seconds > 3.21


def test_what_is_soon_done_shows_no_line(monkeypatch):
    screen = screen_of(Terminal, monkeypatch, 0.1)
    with progress.compiling():
        pass
    assert written(screen) == ""


@KINDS
def test_the_line_goes_away_when_compiling_fails(kind, monkeypatch):
    screen = screen_of(kind, monkeypatch, 1.0)
    with pytest.raises(ZeroDivisionError), progress.compiling():
        raise ZeroDivisionError
    assert written(screen).endswith("\r") or not written(screen)
