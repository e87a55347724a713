"""Steps that cannot be stopped are waited for as long as there is time, and no longer."""

import threading
import time

import pytest

from services.assignment.design import in_time as module
from services.assignment.design.engine.proposal import StoppedError
from services.assignment.design.in_time import in_time


def test_what_comes_of_it_is_returned_or_raised():
    assert in_time(lambda: None, until=time.monotonic()) is None
    assert in_time(lambda: 7, until=time.monotonic() + 60) == 7
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 // 0, until=time.monotonic() + 60)


def test_a_step_without_end_is_left_to_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_LINGER_SECONDS", 0.0)
    end, ended = threading.Event(), threading.Event()

    def work() -> None:
        end.wait()
        ended.set()

    with pytest.raises(StoppedError):
        in_time(work, until=time.monotonic())
    assert not ended.is_set()
    end.set()
    assert ended.wait(60)
