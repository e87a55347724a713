"""Kinds of trouble, and which of them a schedule's header lets happen."""

from enum import IntFlag, auto


class Trouble(IntFlag):
    """Kinds of trouble; a schedule holds those whose bit its header sets."""

    NONE = 0
    ABORTS = auto()
    RELAY_DIES = auto()
    RELAY_PAUSES = auto()
    BROKER_REFUSES = auto()
    BALANCE = auto()
    CONSUMER_DIES = auto()
    REBALANCE = auto()
    TRANSACTION_LOST = auto()
    STALE_POSITION = auto()
    STRAYS = auto()
    TRUNCATION = auto()
    SESSION_ENDED = 1 << 13
    RESTORED = 1 << 14


# What the product may answer with a stopped partition, or what disorders the log, is rarer: another bit has to be set.
_RARE = {Trouble.STRAYS: 1 << 11, Trouble.TRUNCATION: 1 << 12, Trouble.RESTORED: 1 << 15}
# What a log may hold that is disordered or cut short is one thing, what a publisher that went back tells another.
_ALONE = int(Trouble.STRAYS | Trouble.TRUNCATION)


def troubles_of(header: int) -> int:
    """Return the troubles that a schedule holds."""
    troubles = header & ~sum(int(rare) for rare, bits in _RARE.items() if header & bits != bits)
    return troubles & ~_ALONE if troubles & Trouble.RESTORED else troubles
