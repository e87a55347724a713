"""A handler that forgets nothing and forgives nothing: it notes each event that it is given, and counts.

The product's own handlers are idempotent by themselves, so an event applied twice would not show in their tables.
The witness runs in front of them in metrics' consumer of account events, in the same transactions. Its list has no
key that a second effect would collide with, and its tally is added to.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from services.metrics import consumers
from shared.contracts import assignment
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.batches import Batches, HandlerFailure
from shared.messaging.decoding import Decoded
from shared.messaging.received import Received

CONSUMER = "metrics.attribution"
TOPIC = assignment.ACCOUNTS
_ONLY_NOTED = (assignment.AccountRegistered, assignment.AccountChanged)

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


async def nothing(_batch: Sequence[Received[Any]], _uow: UnitOfWork) -> None:
    """Do what metrics does with the kinds of events that only the witness notes."""


def install() -> None:
    """Note everything there is, in front of metrics' own handlers.

    Metrics goes on being given alignments alone, a batch at a time. Were it called in turn with the witness for every
    kind of event, an account that changes often would cut its batches into calls of one event each.
    """
    consumers.CONSUMERS[CONSUMER] = tuple(
        replace(each, handlers=_with_more_kinds(each.handlers)) if each.topic == TOPIC else each
        for each in consumers.CONSUMERS[CONSUMER]
    )
    run_handlers = Batches.run_handlers

    async def noting(batches: Batches, decoded: Iterable[Decoded], uow: UnitOfWork) -> None:
        applied = list(decoded)
        if (batches.consumer, batches.subscription.topic) != (CONSUMER, TOPIC):
            await run_handlers(batches, applied, uow)
            return
        received = [each.content for each in applied if isinstance(each.content, Received)]
        await witness(received, uow)
        own = [d for d in applied if not isinstance(d.content, Received) or not _only_noted(d.content)]
        try:
            await run_handlers(batches, own, uow)
        except HandlerFailure as failure:
            raise HandlerFailure(failure.error, applied) from failure

    Batches.run_handlers = noting  # type: ignore[method-assign]


def _with_more_kinds(handlers: Mapping[Any, Any]) -> dict[Any, Any]:
    return {**dict.fromkeys(_ONLY_NOTED, nothing), **handlers}


def _only_noted(received: Received[Any]) -> bool:
    return isinstance(received.event, _ONLY_NOTED)
