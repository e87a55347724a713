"""A publisher's numbers after its database was restored: compared with what its topics tell, and raised above it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import AggregateOrder
from shared.contracts.registry import PUBLISHED
from shared.db.states import StateTopic
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.cloudevents import decode
from shared.kafka.log import Log
from shared.kafka.records import TopicPartition
from shared.messaging.operations.answers import Steps
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.retelling import RETELLS, ToldEvent, ToldKey, ToldState

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
# A quarantined row whose gap was accepted is waited for by nobody.
_WAITING = text("""
SELECT k.topic, k.key, min(o.aggregateversion) AS version, count(*) AS rows
FROM unnest(CAST(:topics AS text[]), CAST(:keys AS text[])) AS k (topic, key)
JOIN (
    SELECT aggregatetype, aggregateid, aggregateversion FROM outbox
    UNION ALL SELECT aggregatetype, aggregateid, aggregateversion FROM outbox_dead WHERE holds_key
) AS o ON o.aggregatetype = k.topic AND o.aggregateid = k.key
GROUP BY k.topic, k.key ORDER BY k.topic, k.key
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
    """A key that was told further than the database knows, or of which readers took something for repeats.

    `database` is the last number there; `told` is the key as the log has it.
    """

    place: TopicPartition
    key: str
    database: int
    told: ToldKey | ToldState

    @property
    def is_behind(self) -> bool:
        """Tell whether the key is behind at all, but for what has to be told anew."""
        if isinstance(self.told, ToldState) and self.told.passed_over:
            return self.database <= self.told.version
        return self.database < self.told.version

    @property
    def raised_to(self) -> int:
        """Return the number above which readers take nothing for a repeat.

        Events go on at the next one, without a hole. A state is republished at the number there is, which therefore has
        to be one that was not told.
        """
        return self.told.version + isinstance(self.told, ToldState)

    def anew(self, on_their_way: frozenset[str]) -> Sequence[ToldEvent]:
        """Return what of it has to be told once more."""
        return self.told.to_tell_anew(on_their_way)

    def row(self, on_their_way: frozenset[str]) -> dict[str, object]:
        """Return what there is to show."""
        return {
            "topic": self.place.topic,
            "key": self.key,
            "database": self.database,
            "log": self.told.version,
            "forgotten": max(0, self.told.version - self.database),
            "to_tell_anew": len(self.anew(on_their_way)),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The keys that are behind, and up to where each partition was read to find them."""

    behind: Sequence[KeyBehind]
    ends: Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Raised:
    """What raising came to: keys whose numbers were raised, events put into the outbox once more."""

    keys: int
    told_anew: int


def counted_topics(service: str, states: Sequence[StateTopic]) -> dict[str, AggregateOrder]:
    """Return how the service's own topics count, of those that do so by themselves.

    State topics that have the numbers of events (`states`) go up with these.
    """
    borrowed = {each.topic for each in states if each.events != each.topic}
    counted = {c.TOPIC: c.ORDER for c in PUBLISHED[service] if c.ORDER != "none" and c.TOPIC not in borrowed}
    return dict(sorted(counted.items()))


async def on_their_way(read: AsyncConnection) -> frozenset[str]:
    """Return the ids of events whose retelling waits in the outbox."""
    return frozenset((await read.execute(_ON_THEIR_WAY)).scalars())


async def find_behind(
    read: AsyncConnection,
    log: Log,
    steps: Steps,
    topics: Mapping[str, AggregateOrder],
    retold: frozenset[str],
) -> Comparison:
    """Read topics to their ends and return the keys that are behind. Raises Refused, or BrokerAway.

    A partition at a time, since a key lives in one: memory holds the keys of one partition.
    """
    found: list[KeyBehind] = []
    read_to: dict[TopicPartition, int] = {}
    for topic, order in topics.items():
        places = log.partitions_of(topic)
        if not places:
            raise Refused(
                f"topic: the cluster has no {topic}; is this the cluster that the service publishes to?"
            )
        begins, ends = await log.begins(places), await log.ends(places)
        read_to |= ends
        for place in places:
            keys: dict[str, ToldKey | ToldState] = {}
            steps.say(f"{place.topic}[{place.partition}]", more=ends[place] - begins[place])
            async for records in log.read(place, begin=begins[place], end=ends[place]):
                for record in records:
                    if record.key is not None:
                        name = record.key.decode(errors="replace")
                        if name not in keys:
                            keys[name] = ToldKey() if order == "dense" else ToldState()
                        keys[name].read(record)
                steps.say(f"{place.topic}[{place.partition}]", done=len(records))
            found += await _behind(read, place, keys, retold)
    return Comparison(found, read_to)


async def _behind(
    read: AsyncConnection,
    place: TopicPartition,
    keys: Mapping[str, ToldKey | ToldState],
    retold: frozenset[str],
) -> list[KeyBehind]:
    found, names = [], sorted(keys)
    for at in range(0, len(names), CHUNK):
        chunk = names[at : at + CHUNK]
        rows = await read.execute(_NUMBERS, {"topic": place.topic, "keys": chunk})
        known = {row.key: row.last_version for row in rows}
        for name in chunk:
            key = KeyBehind(place, name, known.get(name, 0), keys[name])
            if key.is_behind or key.anew(retold):
                found.append(key)
    return found


async def raise_numbers(compared: Comparison, log: Log, uow: UnitOfWork) -> Raised:
    """Number above all that was told, and put into the outbox once more what readers took for repeats.

    Raises Refused where the log does not have, or had not when it was read, all that these keys have told: what is told
    anew would overtake the rest, or come after it in the wrong order. Raises BrokerAway.
    """
    await uow.connection.execute(_TURN)
    # Looked up in the transaction that adds to them: another operator may have been faster.
    retold = await on_their_way(uow.connection)
    chunks = [compared.behind[at : at + CHUNK] for at in range(0, len(compared.behind), CHUNK)]
    for chunk in chunks:
        columns = {
            "topics": [key.place.topic for key in chunk],
            "keys": [key.key for key in chunk],
            "versions": [key.raised_to for key in chunk],
        }
        # Holds the keys: nobody writes of them from here on.
        await uow.connection.execute(_RAISE, columns)
        await _require_none_waiting(chunk, uow)
    await _require_nothing_new(compared, log)
    told_anew = 0
    for chunk in chunks:
        told_anew += await _tell_anew(chunk, retold, uow)
    return Raised(len(compared.behind), told_anew)


async def _require_none_waiting(behind: Sequence[KeyBehind], uow: UnitOfWork) -> None:
    names = {"topics": [key.place.topic for key in behind], "keys": [key.key for key in behind]}
    waiting = (await uow.connection.execute(_WAITING, names)).all()
    if waiting:
        first = waiting[0]
        raise Refused(
            f"outbox: {sum(row.rows for row in waiting)} rows of {len(waiting)} keys that would be raised wait to be "
            f"sent, as version {first.version} of {first.key} on {first.topic}; what is told anew would come in the "
            "wrong order. Stop what writes, let the relay empty the outbox (`outbox list` tells what waits, and what "
            "is quarantined: `outbox release` that first), and raise again."
        )


async def _require_nothing_new(compared: Comparison, log: Log) -> None:
    places = sorted({key.place for key in compared.behind}, key=lambda each: (each.topic, each.partition))
    for place, end in (await log.ends(places)).items() if places else ():
        if end != compared.ends[place]:
            raise Refused(
                f"{place.topic}[{place.partition}]: {end - compared.ends[place]} records came while the log was "
                "compared. Stop what writes, let the relay empty the outbox, and raise again."
            )


async def _tell_anew(behind: Sequence[KeyBehind], retold: frozenset[str], uow: UnitOfWork) -> int:
    rows = [
        (key.place.topic, key.key, ordinal, *_told(event))
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
