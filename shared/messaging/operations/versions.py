"""A publisher's numbers after its database was restored: compared with what its topics tell, and raised above it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.registry import PUBLISHED
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.cloudevents import decode
from shared.kafka.log import Log
from shared.messaging.operations.answers import Steps
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.retelling import RETELLS, ToldEvent, ToldKey

# A statement's time limit holds for as many keys.
CHUNK = 5_000
# Of the correlation an event stands in; the relay sends these as they are.
_CARRIED = ("correlationid", "causationid", "traceparent")

_NUMBERS = text("""
SELECT aggregateid AS key, last_version FROM aggregate_versions
WHERE aggregatetype = :topic AND aggregateid = ANY (CAST(:keys AS text[]))
""")
_ON_THEIR_WAY = text(f"""
SELECT headers ->> '{RETELLS}' FROM outbox WHERE headers ? '{RETELLS}'
UNION ALL SELECT headers ->> '{RETELLS}' FROM outbox_dead WHERE headers ? '{RETELLS}'
""")
_TURN = text("SELECT pg_advisory_xact_lock(hashtext('versions raise'))")
# Never down: a service that runs meanwhile may have gone further.
_RAISE = text("""
INSERT INTO aggregate_versions AS v (aggregatetype, aggregateid, last_version)
SELECT k.topic, k.key, k.version
FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:versions AS bigint[])) AS k (topic, key, version)
ORDER BY k.topic, k.key
ON CONFLICT (aggregatetype, aggregateid) DO UPDATE SET last_version = greatest(v.last_version, excluded.last_version)
""")
_TELL_ANEW = text("""
WITH incoming AS (
    SELECT * FROM unnest(
        CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:ordinals AS int[]), CAST(:types AS text[]),
        CAST(:payloads AS text[]), CAST(:sources AS text[]), CAST(:schemas AS text[]), CAST(:headers AS text[])
    ) AS i (topic, key, ordinal, type, payload, source, dataschema, headers)
), counted AS (
    SELECT topic, key, count(*) AS events FROM incoming GROUP BY topic, key
), numbered AS (
    UPDATE aggregate_versions AS v SET last_version = v.last_version + c.events FROM counted AS c
    WHERE v.aggregatetype = c.topic AND v.aggregateid = c.key
    RETURNING c.topic, c.key, v.last_version - c.events AS version
)
INSERT INTO outbox (aggregatetype, aggregateid, type, payload, source, dataschema, headers, aggregateversion)
SELECT i.topic, i.key, i.type, CAST(i.payload AS jsonb), i.source, i.dataschema, CAST(i.headers AS jsonb),
       n.version + i.ordinal
FROM incoming AS i JOIN numbered AS n USING (topic, key)
ORDER BY i.topic, i.key, i.ordinal
""")


@dataclass(frozen=True, slots=True)
class KeyBehind:
    """A key that was told further than the database knows, or whose events readers took for repeats.

    `database` and `log` are the last numbers there; `told` is the key as the log has it.
    """

    topic: str
    key: str
    database: int
    told: ToldKey

    def anew(self, on_their_way: frozenset[str]) -> Sequence[ToldEvent]:
        """Return what of it has to be told once more."""
        return self.told.to_tell_anew(on_their_way)

    def row(self, on_their_way: frozenset[str]) -> dict[str, object]:
        """Return what there is to show."""
        return {
            "topic": self.topic,
            "key": self.key,
            "database": self.database,
            "log": self.told.version,
            "forgotten": max(0, self.told.version - self.database),
            "to_tell_anew": len(self.anew(on_their_way)),
        }


@dataclass(frozen=True, slots=True)
class Raised:
    """What raising came to: keys whose numbers were raised, events put into the outbox once more."""

    keys: int
    told_anew: int


def counted_topics(service: str) -> list[str]:
    """Return the service's own topics whose events are numbered densely."""
    return sorted({contract.TOPIC for contract in PUBLISHED[service] if contract.ORDER == "dense"})


async def on_their_way(read: AsyncConnection) -> frozenset[str]:
    """Return the ids of events whose retelling waits in the outbox."""
    return frozenset((await read.execute(_ON_THEIR_WAY)).scalars())


async def find_behind(
    read: AsyncConnection, log: Log, steps: Steps, topics: Sequence[str], retold: frozenset[str]
) -> list[KeyBehind]:
    """Read topics to their ends and return the keys that are behind. Raises Refused, or BrokerAway.

    A partition at a time, since a key lives in one: memory holds the keys of one partition.
    """
    found = []
    for topic in topics:
        places = log.partitions_of(topic)
        if not places:
            raise Refused(
                f"topic: the cluster has no {topic}; is this the cluster that the service publishes to?"
            )
        begins, ends = await log.begins(places), await log.ends(places)
        for place in places:
            keys: dict[str, ToldKey] = {}
            steps.say(f"{place.topic}[{place.partition}]", more=ends[place] - begins[place])
            async for records in log.read(place, begin=begins[place], end=ends[place]):
                for record in records:
                    if record.key is not None:
                        keys.setdefault(record.key.decode(errors="replace"), ToldKey()).read(record)
                steps.say(f"{place.topic}[{place.partition}]", done=len(records))
            found += await _behind(read, topic, keys, retold)
    return found


async def _behind(
    read: AsyncConnection, topic: str, keys: dict[str, ToldKey], retold: frozenset[str]
) -> list[KeyBehind]:
    found, names = [], sorted(keys)
    for at in range(0, len(names), CHUNK):
        chunk = names[at : at + CHUNK]
        rows = await read.execute(_NUMBERS, {"topic": topic, "keys": chunk})
        known = {row.key: row.last_version for row in rows}
        for name in chunk:
            key = KeyBehind(topic, name, known.get(name, 0), keys[name])
            if key.told.version > key.database or key.anew(retold):
                found.append(key)
    return found


async def raise_numbers(behind: Sequence[KeyBehind], uow: UnitOfWork) -> Raised:
    """Number above all that was told, and put into the outbox once more what readers took for repeats."""
    await uow.connection.execute(_TURN)
    # Looked up in the transaction that adds to them: another operator may have been faster.
    retold = await on_their_way(uow.connection)
    told_anew = 0
    for at in range(0, len(behind), CHUNK):
        chunk = behind[at : at + CHUNK]
        columns = {
            "topics": [key.topic for key in chunk],
            "keys": [key.key for key in chunk],
            "versions": [key.told.version for key in chunk],
        }
        await uow.connection.execute(_RAISE, columns)
        told_anew += await _tell_anew(chunk, retold, uow)
    return Raised(len(behind), told_anew)


async def _tell_anew(behind: Sequence[KeyBehind], retold: frozenset[str], uow: UnitOfWork) -> int:
    rows = [
        (key.topic, key.key, ordinal, *_told(event))
        for key in behind
        for ordinal, event in enumerate(key.anew(retold), start=1)
    ]
    if rows:
        names = ("topics", "keys", "ordinals", "types", "payloads", "sources", "schemas", "headers")
        columns = [list(column) for column in zip(*rows, strict=True)]
        await uow.connection.execute(_TELL_ANEW, dict(zip(names, columns, strict=True)))
    return len(rows)


def _told(event: ToldEvent) -> tuple[str, str | None, str, str | None, str]:
    envelope = decode(event.record.headers)
    carried = {name: value for name in _CARRIED if (value := getattr(envelope, name)) is not None}
    value = event.record.value
    return (
        envelope.type,
        None if value is None else value.decode(),
        envelope.source,
        envelope.dataschema,
        json.dumps({**carried, RETELLS: event.event_id}),
    )
