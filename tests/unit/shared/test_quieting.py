"""A library that says the same many times a second."""

import logging

from shared.runtime.quieting import REPEAT_SECONDS, OnceInAWhile


class Hearing(logging.Handler):
    """Keeps what gets through."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


class Seconds:
    """A clock that is set."""

    now = 1000.0

    def __call__(self):
        return self.now


def hear(clock):
    hearing = Hearing()
    hearing.addFilter(OnceInAWhile("library", clock=clock))
    logger = logging.Logger("library.part")  # noqa: LOG001 - in no hierarchy, so that nothing else hears it
    logger.addHandler(hearing)
    ours = logging.Logger("ours")  # noqa: LOG001
    ours.addHandler(hearing)
    return hearing.lines, logger, ours


def test_what_is_repeated_is_told_once_and_later_how_often():
    clock = Seconds()
    lines, library, _ = hear(clock)
    for _ in range(100):
        library.error("node %d is away", 1)
    assert lines == ["node 1 is away"]
    clock.now += REPEAT_SECONDS
    library.error("node %d is away", 1)
    assert lines[1:] == ["node 1 is away (99 more of these before)"]


def test_what_differs_is_told_at_once():
    lines, library, _ = hear(Seconds())
    library.error("node %d is away", 1)
    library.error("node %d is away", 2)
    assert lines == ["node 1 is away", "node 2 is away"]


def test_our_own_lines_are_never_held_back():
    lines, _, ours = hear(Seconds())
    ours.error("partition stopped")
    ours.error("partition stopped")
    assert lines == ["partition stopped", "partition stopped"]
