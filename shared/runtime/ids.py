"""Time-ordered identifiers, made where an event needs its id before the insert."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from uuid import UUID

from shared.uuid7 import uuid7_of

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_RANDOM_BITS = 62


class IdMaker:
    """Makes UUIDv7 that rise in the order they are made in, also within a millisecond and when the clock goes back.

    The 12 bits after the milliseconds hold the fraction of the millisecond (RFC 9562 section 6.2, method 3), and
    an id that would not exceed the one before it takes the next fraction. Of two processes the clock decides.
    """

    def __init__(self, unix_ns: Callable[[], int] = time.time_ns) -> None:
        self._unix_ns = unix_ns
        self._last = 0
        self._lock = Lock()

    def make(self) -> UUID:
        """Return a fresh id, above all that this maker has made."""
        ms, rest = divmod(self._unix_ns(), 1_000_000)
        with self._lock:
            self._last = max((ms << 12) | ((rest << 12) // 1_000_000), self._last + 1)
            ms, fraction = divmod(self._last, 1 << 12)
        return uuid7_of(ms, (fraction << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS))


new_id = IdMaker().make


def new_id_at(moment: datetime) -> UUID:
    """Return a fresh UUIDv7 of a moment."""
    return uuid7_of(_milliseconds(moment), secrets.randbits(74))


def first_id_at(moment: datetime) -> UUID:
    """Return the least UUIDv7 of a moment's millisecond: where a range of ids by time begins or ends."""
    return uuid7_of(_milliseconds(moment), 0)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
