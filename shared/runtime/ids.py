"""Time-ordered identifiers (UUIDv7, RFC 9562 section 5.7), made where an event needs its id before the insert."""

import secrets
import time
from uuid import UUID

_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)


def uuid7_from(unix_ms: int, random_bits: int) -> UUID:
    """Build a UUIDv7 from 48 bits of milliseconds and 74 bits of entropy (or of a digest)."""
    high = (random_bits >> 62) & 0xFFF
    low = random_bits & ((1 << 62) - 1)
    return UUID(int=((unix_ms & 0xFFFF_FFFF_FFFF) << 80) | _VERSION_AND_VARIANT | (high << 64) | low)


def new_id() -> UUID:
    """Return a fresh UUIDv7."""
    return uuid7_from(time.time_ns() // 1_000_000, secrets.randbits(74))
