"""The bit layout of UUIDv7 (RFC 9562 section 5.7), for ids that are drawn and for ids that are computed."""

from uuid import UUID

_VERSION_AND_VARIANT = (0x7 << 76) | (0b10 << 62)


def uuid7_of(unix_ms: int, bits: int) -> UUID:
    """Build a UUIDv7 from 48 bits of milliseconds and 74 bits of entropy (or of a digest)."""
    high = (bits >> 62) & 0xFFF
    low = bits & ((1 << 62) - 1)
    return UUID(int=((unix_ms & 0xFFFF_FFFF_FFFF) << 80) | _VERSION_AND_VARIANT | (high << 64) | low)
