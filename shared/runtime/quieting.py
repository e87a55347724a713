"""What a library repeats many times a second is told once in a while, with how often it was said."""

import logging
import time
from collections.abc import Callable

REPEAT_SECONDS = 10.0
# Texts that name a member or a port never come again; they may not pile up.
_REMEMBERED = 1_000


class OnceInAWhile(logging.Filter):
    """Lets a line of the named libraries through once in ten seconds.

    A Kafka client that looks for a broker says so every 100 ms and once per partition: a hundred errors a second for as
    long as the broker is away, in which our own lines would drown.
    """

    def __init__(self, *libraries: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._libraries = libraries
        self._clock = clock
        self._told: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether the line is to be written; what was held back before it is added to it."""
        if not record.name.startswith(self._libraries):
            return True
        text, now = record.getMessage(), self._clock()
        at, held_back = self._told.get(text, (now - REPEAT_SECONDS, 0))
        if now - at < REPEAT_SECONDS:
            self._told[text] = at, held_back + 1
            return False
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[text] = now, 0
        if held_back:
            record.msg, record.args = f"{text} ({held_back} more of these before)", ()
        return True
