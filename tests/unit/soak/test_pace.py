"""A soak whose load was not there is red: rates that were not kept, threads that erred, and those that fell silent."""

import threading

from tests.soak.pace import find_shortfall, find_silent
from tests.soak.working import keep_working

ASKED = {"commands": 15.0, "notes": 2.0}


def test_nine_of_ten_are_enough():
    assert find_shortfall(ASKED, {"commands": 1350, "notes": 180}, seconds=100) == []


def test_what_was_sent_too_seldom_is_told():
    (told,) = find_shortfall(ASKED, {"commands": 1349, "notes": 200}, seconds=100)
    assert told == "commands: 13.49 a second of 15"


def test_what_was_never_sent_is_told():
    assert find_shortfall(ASKED, {"commands": 1500}, seconds=100) == ["notes: 0.00 a second of 2"]


def test_threads_that_were_answered_of_late_are_alive():
    assert find_silent({"stream 0": 950.0, "facts": 999.0}, ["stream 0", "facts"], now=1000.0) == []


def test_a_thread_that_fell_silent_is_told():
    told = find_silent({"stream 0": 900.0}, ["stream 0", "stream 1"], now=1000.0)
    assert told == ["stream 0 was last answered 100 s ago", "stream 1 never was"]


def test_whatever_a_thread_meets_is_told_and_it_goes_on():
    stopping, wrong, turns = threading.Event(), [], iter((ValueError("no JSON"), KeyError("counts")))

    def work() -> None:
        error = next(turns, None)
        if error is None:
            stopping.set()
            return
        raise error

    keep_working("facts", work, stopping=stopping, wrong=wrong, pause=0)
    assert wrong == ["facts: ValueError('no JSON')", "facts: KeyError('counts')"]
