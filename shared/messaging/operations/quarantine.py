"""Outbox rows that Kafka refuses for good: out of the way, without later ones of their key overtaking in silence.

A quarantined row of a topic with dense versions holds its key: later rows stay in the outbox (relay.py) until the
row is released, in front of them, or an operator accepts the gap, which subscribers then see in the versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import AggregateOrder
from shared.contracts.registry import CONTRACTS
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.operations.refusals import Refused

_COLUMNS = "seq, id, aggregatetype, aggregateid, type, payload, source, dataschema, headers, aggregateversion, created_at"
_QUARANTINE = text(f"""
WITH taken AS (DELETE FROM outbox WHERE seq = :seq RETURNING {_COLUMNS})
INSERT INTO outbox_dead ({_COLUMNS}, reason, holds_key, quarantined_at, quarantined_by)
SELECT {_COLUMNS}, :reason, NOT (:allow_gap OR type <> ALL (CAST(:dense_types AS text[]))), :now, :by
FROM taken
RETURNING aggregatetype AS topic, aggregateid AS key, aggregateversion AS version, holds_key
""")
_RELEASE = text(f"""
WITH taken AS (DELETE FROM outbox_dead WHERE seq = :seq RETURNING {_COLUMNS})
INSERT INTO outbox ({_COLUMNS}) OVERRIDING SYSTEM VALUE SELECT {_COLUMNS} FROM taken
RETURNING aggregatetype AS topic, aggregateid AS key, aggregateversion AS version
""")
_ACCEPT_GAP = text("""
UPDATE outbox_dead SET holds_key = false WHERE seq = :seq
RETURNING aggregatetype AS topic, aggregateid AS key, aggregateversion AS version
""")
# The quarantined ones all; of those that wait the oldest, which are what the others wait for.
_LIST = text("""
SELECT seq, CASE WHEN holds_key THEN 'quarantined' ELSE 'gap accepted' END AS state, aggregatetype AS topic,
       aggregateid AS key, aggregateversion AS version, type, octet_length(payload::text) AS bytes, created_at,
       quarantined_by, quarantined_at, reason
FROM outbox_dead
UNION ALL (
    SELECT seq, CASE WHEN EXISTS (
        SELECT FROM outbox_dead AS dead WHERE dead.holds_key AND dead.aggregatetype = outbox.aggregatetype
          AND dead.aggregateid = outbox.aggregateid AND dead.seq < outbox.seq
    ) THEN 'held' ELSE 'waiting' END, aggregatetype, aggregateid, aggregateversion, type,
           octet_length(payload::text), created_at, NULL, NULL, NULL
    FROM outbox ORDER BY seq LIMIT :limit
)
ORDER BY seq
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Which event a row is, and whether later ones of its key wait for it."""

    topic: str
    key: str
    version: int
    holds_key: bool


async def list_outbox(read: AsyncConnection, *, limit: int) -> Sequence[Row[Any]]:
    """Return the quarantined rows and the oldest of those that wait, in the order of the outbox."""
    return (await read.execute(_LIST, {"limit": limit})).all()


async def quarantine(seq: int, uow: UnitOfWork, *, reason: str, allow_gap: bool) -> Place:
    """Take a row out of the outbox. Raises Refused when it is not there (any more).

    Whoever sent it meanwhile did no harm: its subscribers know the version when it comes again.
    """
    row = (
        await uow.connection.execute(
            _QUARANTINE,
            {
                "seq": seq,
                "reason": reason,
                "allow_gap": allow_gap,
                "dense_types": [name for name in CONTRACTS if order_of(name) == "dense"],
                "now": uow.now,
                "by": uow.actor,
            },
        )
    ).one_or_none()
    if row is None:
        raise Refused(
            f"seq: the outbox has no row {seq}: it was sent, or is quarantined; `outbox list` tells what waits."
        )
    return Place(row.topic, row.key, row.version, row.holds_key)


async def release(seq: int, uow: UnitOfWork) -> Place:
    """Put a row back where it was, in front of the later ones of its key. Raises Refused when it is not there."""
    return await _settle(_RELEASE, seq, uow)


async def accept_gap(seq: int, uow: UnitOfWork) -> Place:
    """Keep a row where it is and let the later ones of its key go. Raises Refused when it is not there."""
    return await _settle(_ACCEPT_GAP, seq, uow)


def order_of(wire_type: str) -> AggregateOrder:
    """Return how versions count for a type; what is no event contract, such as a dead letter, knows no order."""
    contract = CONTRACTS.get(wire_type)
    return "none" if contract is None else contract.ORDER


async def _settle(statement: Any, seq: int, uow: UnitOfWork) -> Place:
    row = (await uow.connection.execute(statement, {"seq": seq})).one_or_none()
    if row is None:
        raise Refused(f"seq: no row {seq} is quarantined; `outbox list` tells which are.")
    return Place(row.topic, row.key, row.version, holds_key=False)
