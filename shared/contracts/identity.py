"""Ids that two sides compute alike, so that neither has to ask the other."""

import hashlib
import unicodedata
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from uuid import UUID, uuid5

from shared.uuid7 import uuid7_of

ACCOUNTS = UUID("6f1d6a3e-6f0e-5b59-9a5c-5d9a7f8b2c10")
REPS = UUID("b8d3c1f4-52a7-5e0c-9d41-3c7e6a1f0b92")
TREES = UUID("0c6f2b56-3f0b-5c2f-8d5e-2f6f0a4d9b7e")

SUBJECTS = UUID("3a2f7d0c-9f54-5c1e-8b36-61c0d1a4e7f5")

SYSTEM = "system"
PROCESSES = ("consumer:", "replay:")
"""How commands that no person runs are signed: in a worker, and in a consumer or replay of this name."""

UNASSIGNED = UUID(int=0)
"""The pseudo-territory of accounts in a gap: so that children and it always add up to their parent."""

ORGANISATION = UUID(int=(1 << 128) - 1)
"""The pseudo-territory above every root."""


def _same(external_id: str) -> str:
    # Two systems may write one name in two Unicode forms; to a person it is one name, so it has one id.
    return unicodedata.normalize("NFC", external_id.strip())


# Facts name the same accounts over and over: a digest of each name would be a fifth of reading them.
@lru_cache(maxsize=65_536)
def account_id_of(external_id: str) -> UUID:
    """Return the account's id. Facts may name an account by external id before it is registered."""
    return uuid5(ACCOUNTS, _same(external_id))


def rep_id_of(external_id: str) -> UUID:
    """Return the rep's id."""
    return uuid5(REPS, _same(external_id))


def signature_of(subject: str) -> str:
    """Return how something is signed: whichever process did it, the product did."""
    return SYSTEM if subject.startswith(PROCESSES) else subject


def actor_id_of(subject: str) -> UUID | None:
    """Return the id by which events name who did something; None for the product itself.

    A rep's token has the rep's id as its subject. Other subjects are whatever an identity provider chose, often an
    e-mail address: they stay at home, and an id computed of them travels.
    """
    if signature_of(subject) == SYSTEM:
        return None
    try:
        return UUID(subject)
    except ValueError:
        return uuid5(SUBJECTS, subject)


def tree_id_of(parents: Iterable[tuple[UUID, UUID | None]]) -> UUID:
    """Return the id of a territory tree: equal shapes have equal ids, whatever plan they stand in."""
    shape = ",".join(sorted(f"{territory}>{parent or ''}" for territory, parent in parents))
    return uuid5(TREES, shape)


def fact_key(*, source: str, kind: str, external_id: str, created_at: datetime) -> UUID:
    """Return the entity key of a fact: UUIDv7-shaped, so that keys of one month lie together.

    48 bits are the creation millisecond of the entity (the same on every revision), 74 bits a digest of
    its name. Random keys wrote 100 M facts at 1,280 per second, time-ordered ones at 4,800.
    """
    name = f"{source}\x1f{kind}\x1f{external_id}".encode()
    bits = int.from_bytes(hashlib.sha256(name).digest()[:10]) >> 6
    return uuid7_of(int(created_at.timestamp() * 1000), bits)
