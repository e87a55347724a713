"""Partitions that a consumer has stopped at, because their log has not the records that come next: what is lost, and on.

Nothing goes on by itself there (positions.py): records that are gone would be missed in silence.
"""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import AggregateOrder
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.log import Log
from shared.kafka.records import TopicPartition
from shared.messaging.operations.refusals import Refused
from shared.messaging.progress import Progress
from shared.messaging.subscription import Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a consumer stands on a partition, and where it could go on; offsets of the record to read next.

    `lost` counts the offsets that nobody reads any more; None where the log ends before what was applied, which tells
    nothing of what else it had. `again` counts the records that are read once more.
    """

    consumer: str
    topic: str
    partition: int
    applied: int
    begin: int
    end: int
    resumes_at: int

    @property
    def lost(self) -> int | None:
        """Return how many offsets are skipped."""
        return self.resumes_at - self.applied if self.applied <= self.end else None

    @property
    def again(self) -> int:
        """Return how many records are read once more."""
        return self.end - self.begin if self.applied > self.end else 0

    @property
    def is_stopped(self) -> bool:
        """Tell whether the log has not what comes next."""
        return self.resumes_at != self.applied

    def row(self) -> dict[str, object]:
        """Return what there is to show."""
        names = ("consumer", "topic", "partition", "applied", "begin", "end", "resumes_at", "lost", "again")
        return {name: getattr(self, name) for name in names}


async def find_stopped(
    read: AsyncConnection, log: Log, consumers: Mapping[str, Sequence[Subscription]]
) -> list[Standing]:
    """Return the partitions whose log has not what comes next. Raises BrokerAway."""
    found = []
    for consumer, subscriptions in sorted(consumers.items()):
        for subscription in subscriptions:
            for place in log.partitions_of(subscription.topic):
                position = await Progress(consumer, place).read(read)
                if position is not None:
                    found.append(await look(log, consumer, place, position, subscription.order))
    return [each for each in found if each.is_stopped]


async def look(
    log: Log, consumer: str, place: TopicPartition, position: int, order: AggregateOrder
) -> Standing:
    """Compare a position with the log. Raises BrokerAway."""
    begin, end = (await log.begins([place]))[place], (await log.ends([place]))[place]
    if position > end:
        # Recreated, or cut off at its end: offsets name other records now. What was applied is known by versions.
        resumes_at = begin
    elif order == "dense" and begin <= position < end:
        resumes_at = await _first_from(log, place, position, end)
    else:
        # Elsewhere a log has holes of its own, which the consumer passes by itself.
        resumes_at = max(position, begin)
    return Standing(
        consumer=consumer,
        topic=place.topic,
        partition=place.partition,
        applied=position,
        begin=begin,
        end=end,
        resumes_at=resumes_at,
    )


async def _first_from(log: Log, place: TopicPartition, position: int, end: int) -> int:
    async with aclosing(log.read(place, begin=position, end=end)) as batches:
        async for records in batches:
            return records[0].offset
    return end


async def require_stopped(
    read: AsyncConnection, log: Log, consumer: str, subscription: Subscription, partition: int
) -> Standing:
    """Return where a partition stands. Raises Refused unless its log has not what comes next, or BrokerAway."""
    place = TopicPartition(subscription.topic, partition)
    if place not in log.partitions_of(subscription.topic):
        raise Refused(f"partition: the cluster has no {place.topic}[{partition}].")
    position = await Progress(consumer, place).read(read)
    if position is None:
        raise Refused(f"partition: {consumer} has read nothing of {place.topic}[{partition}] yet.")
    standing = await look(log, consumer, place, position, subscription.order)
    if not standing.is_stopped:
        raise Refused(
            f"partition: {place.topic}[{partition}] has what {consumer} reads next, at {position}; "
            "`partition list` tells which have not."
        )
    return standing


async def resume(standing: Standing, uow: UnitOfWork) -> None:
    """Have the consumer go on where the log does. Raises Refused when it has gone on meanwhile."""
    progress = Progress(standing.consumer, TopicPartition(standing.topic, standing.partition))
    if await progress.lock(uow.connection) != standing.applied:
        raise Refused(
            f"partition: {standing.consumer} has moved on meanwhile; look again (`partition list`)."
        )
    await progress.advance(uow.connection, to=standing.resumes_at)
