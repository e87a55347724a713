"""A handler that forgets nothing and forgives nothing: it notes each event that it is given, and counts.

The product's own handlers are idempotent by themselves, so an event applied twice would not show in their tables.
The witness runs beside them in metrics' consumer of account events, in the same transactions. Its list has no
key that a second effect would collide with, and its tally is added to.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from services.metrics import consumers
from services.metrics.attribution.commands.record_alignments import record_alignments
from shared.contracts import assignment
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

CONSUMER = "metrics.attribution"
TOPIC = assignment.ACCOUNTS

TABLES = """
CREATE TABLE metrics.witness_effects (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, pid int NOT NULL, topic text NOT NULL,
    partition int NOT NULL, record_offset bigint NOT NULL, key text NOT NULL, version bigint NOT NULL,
    event_id text NOT NULL, digest text NOT NULL, told bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp());
CREATE TABLE metrics.witness_tally (key text PRIMARY KEY, events bigint NOT NULL, told bigint NOT NULL);
GRANT SELECT, INSERT, UPDATE ON metrics.witness_effects, metrics.witness_tally TO metrics_app;
"""
_NOTE = text("""
INSERT INTO witness_effects (pid, topic, partition, record_offset, key, version, event_id, digest, told)
SELECT :pid, i.topic, i.partition, i.record_offset, i.key, i.version, i.event_id, i.digest, i.told
FROM unnest(CAST(:topics AS text[]), CAST(:partitions AS int[]), CAST(:offsets AS bigint[]),
            CAST(:keys AS text[]), CAST(:versions AS bigint[]), CAST(:event_ids AS text[]),
            CAST(:digests AS text[]), CAST(:told AS bigint[])) WITH ORDINALITY
    AS i (topic, partition, record_offset, key, version, event_id, digest, told, position)
ORDER BY i.position
""")
_COUNT = text("""
INSERT INTO witness_tally AS t (key, events, told)
SELECT i.key, count(*), sum(i.told)
FROM unnest(CAST(:keys AS text[]), CAST(:told AS bigint[])) AS i (key, told)
GROUP BY i.key ORDER BY i.key
ON CONFLICT (key) DO UPDATE SET events = t.events + excluded.events, told = t.told + excluded.told
""")


def digest_of(wire_type: str, content: Mapping[str, Any]) -> str:
    """Return what makes the content this content, however its JSON is laid out."""
    return hashlib.sha256(f"{wire_type} {json.dumps(content, sort_keys=True)}".encode()).hexdigest()[:24]


async def witness(batch: Sequence[Received[Any]], uow: UnitOfWork) -> None:
    """Note the events in the order given, and add them to their keys' tally."""
    keys = [received.key for received in batch]
    told = [getattr(received.event, "employees", None) or 0 for received in batch]
    await uow.connection.execute(
        _NOTE,
        {
            "pid": os.getpid(),
            "topics": [received.topic for received in batch],
            "partitions": [received.partition for received in batch],
            "offsets": [received.offset for received in batch],
            "keys": keys,
            "versions": [received.version for received in batch],
            "event_ids": [received.envelope.id for received in batch],
            "digests": [
                digest_of(received.envelope.type, received.event.model_dump(mode="json"))
                for received in batch
            ],
            "told": told,
        },
    )
    await uow.connection.execute(_COUNT, {"keys": keys, "told": told})


async def witness_alignments(batch: Sequence[Received[assignment.AccountAligned]], uow: UnitOfWork) -> None:
    """Note alignments, and let metrics do what it does with them."""
    await witness(batch, uow)
    await record_alignments(batch, uow)


def install() -> None:
    """Stand beside metrics' own handlers."""
    handlers = {
        assignment.AccountAligned: witness_alignments,
        assignment.AccountRegistered: witness,
        assignment.AccountChanged: witness,
    }
    consumers.CONSUMERS[CONSUMER] = tuple(
        replace(each, handlers=handlers) if each.topic == TOPIC else each
        for each in consumers.CONSUMERS[CONSUMER]
    )
