"""How far everything is: consumers by partition, what is parked, dead letters, the outbox, who sends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.kafka.log import Log
from shared.kafka.records import TopicPartition
from shared.messaging.leases import BUCKETS
from shared.messaging.operations.refusals import Refused
from shared.messaging.parked_counts import ParkedCount, count_parked
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.runtime.clock import Clock

_APPLIED = text("SELECT consumer, topic, partition, next_offset FROM consumer_offsets")
_OUTBOX = text("""
SELECT count(*) AS rows, min(created_at) AS oldest_at, (SELECT count(*) FROM outbox_dead) AS quarantined,
       (SELECT count(*) FROM outbox_dead WHERE holds_key) AS holding,
       (SELECT min(created_at) FROM outbox_dead WHERE holds_key) AS holding_since
FROM outbox
""")
_LEASES = text("""
SELECT held.objid::int AS bucket, held.pid, activity.application_name, activity.client_addr::text AS address
FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity USING (pid)
WHERE held.locktype = 'advisory' AND held.granted AND held.objsubid = 2 AND held.objid::bigint < :buckets
  AND held.classid::bigint = hashtext(:name)::bigint & 4294967295
  AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY held.objid::bigint
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionLag:
    """How far a consumer is on one partition.

    `end` and `applied` are offsets of the next record; `lag` is in records; `age_seconds` tells how long the
    oldest record not applied has been on the topic, None when there is none. `applied` is None before the first batch.
    """

    consumer: str
    topic: str
    partition: int
    end: int
    applied: int | None
    lag: int
    age_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerTrouble:
    """What of a topic waits for an operator: keys parked, and letters ever written to the dead letter topic.

    `diverged_keys` are those of the parked ones whose publisher used versions again for other events;
    `parked_seconds` tells how long the oldest parked record has waited, None when there is none.
    """

    consumer: str
    topic: str
    parked_keys: int
    diverged_keys: int
    parked_seconds: float | None
    dead_letters: int | None


async def measure_partitions(
    read: AsyncConnection, log: Log, clock: Clock, consumers: Mapping[str, Sequence[Subscription]]
) -> list[PartitionLag]:
    """Return the lag of every partition that the consumers read. Raises BrokerAway."""
    rows = await read.execute(_APPLIED)
    applied = {(row.consumer, TopicPartition(row.topic, row.partition)): row.next_offset for row in rows}
    found = []
    for consumer, subscriptions in sorted(consumers.items()):
        for subscription in subscriptions:
            places = log.partitions_of(subscription.topic)
            begins, ends = await log.begins(places), await log.ends(places)
            for place in places:
                position = applied.get((consumer, place))
                start = begins[place] if position is None else position
                written = await log.written_at(place, start) if start < ends[place] else None
                found.append(
                    PartitionLag(
                        consumer=consumer,
                        topic=place.topic,
                        partition=place.partition,
                        end=ends[place],
                        applied=position,
                        lag=max(0, ends[place] - start),
                        age_seconds=None if written is None else clock.now().timestamp() - written / 1000,
                    )
                )
    return found


async def count_trouble(
    read: AsyncConnection, log: Log, clock: Clock, consumers: Mapping[str, Sequence[Subscription]]
) -> list[ConsumerTrouble]:
    """Return per consumer and topic what is parked and what was given up. Raises BrokerAway."""
    parked = await count_parked(read)
    found = []
    for consumer, subscriptions in sorted(consumers.items()):
        for subscription in subscriptions:
            places = log.partitions_of(dead_letter_topic(subscription.topic, consumer))
            letters = sum((await log.ends(places)).values()) if places else None
            waits = parked.get((consumer, subscription.topic), ParkedCount())
            found.append(
                ConsumerTrouble(
                    consumer=consumer,
                    topic=subscription.topic,
                    parked_keys=waits.keys,
                    diverged_keys=waits.diverged,
                    parked_seconds=_seconds_since(waits.since, clock),
                    dead_letters=letters,
                )
            )
    return found


def require_topics(log: Log, consumers: Mapping[str, Sequence[Subscription]], *, prefix: str) -> None:
    """Raise Refused when the cluster lacks what the consumers read: another cluster or another prefix was meant."""
    topics = {subscription.topic for subscriptions in consumers.values() for subscription in subscriptions}
    missing = sorted(prefix + topic for topic in topics if not log.partitions_of(topic))
    if missing:
        raise Refused(
            f"topic: the cluster has no {', '.join(missing)}. Is this the cluster, and is KAFKA_TOPIC_PREFIX "
            f"({prefix or 'none'}) the one, of the running service? Else create the topics first."
        )


async def measure_outbox(read: AsyncConnection, clock: Clock) -> dict[str, Any]:
    """Return how many rows wait, for how long the oldest has, and how many are quarantined.

    `holding_seconds` is the age of the oldest quarantined event that later ones of its key wait for.
    """
    row = (await read.execute(_OUTBOX)).one()
    return {
        "rows": row.rows,
        "oldest_seconds": _seconds_since(row.oldest_at, clock),
        "quarantined": row.quarantined,
        "holding_keys": row.holding,
        "holding_seconds": _seconds_since(row.holding_since, clock),
    }


async def list_leases(read: AsyncConnection, service: str) -> list[dict[str, Any]]:
    """Return who owns which buckets of the outbox; a bucket that nobody owns is told, too."""
    rows = await read.execute(_LEASES, {"name": f"{service}.outbox", "buckets": BUCKETS})
    owned = {row.bucket: row for row in rows}
    found: dict[tuple[Any, ...], list[int]] = {}
    for bucket in range(BUCKETS):
        row = owned.get(bucket)
        owner = (None, None) if row is None else (row.pid, row.address)
        found.setdefault(owner, []).append(bucket)
    return [{"session": pid, "address": at, "buckets": buckets} for (pid, at), buckets in found.items()]


def _seconds_since(moment: datetime | None, clock: Clock) -> float | None:
    return None if moment is None else (clock.now() - moment).total_seconds()
