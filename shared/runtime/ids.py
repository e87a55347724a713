"""Time-ordered identifiers, made where an event needs its id before the insert."""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

from shared.uuid7 import uuid7_of

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    return uuid7_of(time.time_ns() // 1_000_000, secrets.randbits(74))


def new_id_at(moment: datetime) -> UUID:
    """Return a fresh UUIDv7 of a moment."""
    return uuid7_of(_milliseconds(moment), secrets.randbits(74))


def first_id_at(moment: datetime) -> UUID:
    """Return the least UUIDv7 of a moment's millisecond: where a range of ids by time begins or ends."""
    return uuid7_of(_milliseconds(moment), 0)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MILLISECOND
