"""Saying the same thing less often: a library that tries again many times a second tells of it every time."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

QUIET_SECONDS = 10.0
_MOST_MESSAGES = 1_000


@dataclass(slots=True)
class _Said:
    at: float
    swallowed: int = 0


class Throttle(logging.Filter):
    """Lets one line of each message of a library through per ten seconds; the next one tells how many were not.

    A message is its text before its arguments are put in, with its level and logger: the thousand tries of one
    connection are one message, two kinds of trouble are two.
    """

    def __init__(self, library: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(library)
        self._clock = clock
        self._said: dict[tuple[str, int, str], _Said] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether to write the line; lines of others are always written."""
        if not super().filter(record):
            return True
        message = record.name, record.levelno, str(record.msg)
        now = self._clock()
        said = self._said.get(message)
        if said is not None and now - said.at < QUIET_SECONDS:
            said.swallowed += 1
            return False
        if said is not None and said.swallowed:
            record.msg = f"{record.getMessage()} ({said.swallowed:,} more like it in {now - said.at:.0f} s)"
            record.args = None
        self._remember(message, now)
        return True

    def _remember(self, message: tuple[str, int, str], now: float) -> None:
        if len(self._said) >= _MOST_MESSAGES:
            self._said = {key: said for key, said in self._said.items() if now - said.at < QUIET_SECONDS}
        if len(self._said) < _MOST_MESSAGES:
            self._said[message] = _Said(now)
