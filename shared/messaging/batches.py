"""One batch of one partition, one transaction: progress, effects, parked and dead records commit together."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.contracts.envelope import EventContract
from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.records import IncomingRecord, TopicPartition
from shared.messaging import dead_letter_record
from shared.messaging.classification import (
    DeadLetter,
    KeyState,
    ParkReason,
    Plan,
    classify,
    poisoned,
    told_before,
)
from shared.messaging.decoding import Decoded, Stage, decode_record, describe_error
from shared.messaging.layering import layers
from shared.messaging.parking import Parking
from shared.messaging.positions import not_applied, require_no_gap
from shared.messaging.progress import Progress
from shared.messaging.received import Received, Tombstone
from shared.messaging.subscription import Subscription, dead_letter_topic
from shared.messaging.transient import is_transient
from shared.runtime.clock import Clock
from shared.runtime.correlation import Correlation, bind_correlation, new_correlation, new_traceparent
from shared.runtime.logging import get_logger

log = get_logger(__name__)

TRIES = 3
_PAUSE_SECONDS = 0.1


class NotBegun(Exception):
    """No progress is recorded for the partition yet."""


class HandlerFailure(Exception):
    """A handler raised something that will not pass by itself."""

    def __init__(self, error: Exception, applied: Sequence[Decoded]) -> None:
        super().__init__(describe_error(error))
        self.error = error
        self.applied = applied


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch came to."""

    next_offset: int
    applied: int = 0
    duplicates: int = 0
    gaps: int = 0
    parked: int = 0
    dead: int = 0
    diverged: int = 0

    def then(self, later: "Outcome") -> "Outcome":
        """Add the outcome of the batch that followed."""
        return Outcome(
            later.next_offset,
            self.applied + later.applied,
            self.duplicates + later.duplicates,
            self.gaps + later.gaps,
            self.parked + later.parked,
            self.dead + later.dead,
            self.diverged + later.diverged,
        )


@dataclass(frozen=True, slots=True)
class Batches:
    """Applies batches of one subscription."""

    consumer: str
    subscription: Subscription
    engine: AsyncEngine
    clock: Clock
    source: str
    # False where an operator rehearses: what comes of it is no news.
    is_news: bool = True

    async def begin(self, place: TopicPartition, *, at: int) -> int:
        """Record where a partition starts, unless that is known; return where to read."""
        progress = Progress(self.consumer, place)
        async with self.engine.begin() as connection:
            await progress.begin(connection, at=at)
            return await progress.read(connection) or 0

    async def apply(
        self, place: TopicPartition, records: Sequence[IncomingRecord], *, accept_hole: bool = False
    ) -> Outcome:
        """Apply records in order, exactly once whoever else tries. Raises NotBegun, OffsetGap, or what passes.

        A batch whose handler fails is halved, each half a transaction of its own, down to the record that
        fails alone; that one becomes a dead letter.
        """
        decoded = [decode_record(record, self.subscription) for record in records]
        return await self._apply(place, decoded, accept_hole)

    async def _apply(self, place: TopicPartition, decoded: list[Decoded], accept_hole: bool) -> Outcome:  # noqa: FBT001
        try:
            return await self._commit(place, decoded, accept_hole)
        except HandlerFailure as failure:
            log.warning("batch refused", error=type(failure.error).__name__, records=len(decoded))
            if len(decoded) == 1:
                return await self._insist(place, decoded, accept_hole)
        half = len(decoded) // 2
        first = await self._apply(place, decoded[:half], accept_hole)
        return first.then(await self._apply(place, decoded[half:], accept_hole))

    async def _insist(self, place: TopicPartition, decoded: list[Decoded], accept_hole: bool) -> Outcome:  # noqa: FBT001
        """Try a single record again, then give up what its handler refuses."""
        errors: dict[int, Exception] = {}
        tries = 1
        while True:
            try:
                return await self._commit(place, decoded, accept_hole, errors)
            except HandlerFailure as failure:
                tries += 1
                if tries < TRIES:
                    await asyncio.sleep(_PAUSE_SECONDS * tries)
                    continue
                if not failure.applied:
                    raise
                # When the record brought a parked queue back to life, the queue is the first suspect: it
                # stops healing, and an operator replays it once the handler is mended.
                suspect = failure.applied[1 if len(failure.applied) > 1 else 0]
                errors[suspect.record.offset] = failure.error

    async def _commit(
        self,
        place: TopicPartition,
        decoded: list[Decoded],
        accept_hole: bool,  # noqa: FBT001
        errors: dict[int, Exception] | None = None,
    ) -> Outcome:
        progress = Progress(self.consumer, place)
        async with self.engine.begin() as connection:
            next_offset = await progress.lock(connection)
            if next_offset is None:
                raise NotBegun
            fresh = not_applied(decoded, next_offset)
            if not fresh:
                return Outcome(next_offset, duplicates=len(decoded))
            if not accept_hole:
                require_no_gap(fresh, next_offset, self.subscription.order)
            plan = await self._plan(connection, progress, fresh, errors or {})
            uow = UnitOfWork(
                connection=connection,
                now=self.clock.now(),
                actor=f"consumer:{self.consumer}",
                outbox=Outbox(source=self.source),
            )
            await self.run_handlers(plan.apply, uow)
            await self.write(plan, uow, progress)
            after = fresh[-1].record.offset + 1
            await progress.advance(connection, to=after)
        return Outcome(
            after,
            applied=len(plan.apply),
            duplicates=plan.duplicates + len(decoded) - len(fresh),
            gaps=plan.gaps,
            parked=len(plan.park),
            dead=len(plan.dead),
            diverged=plan.diverged,
        )

    async def _plan(
        self,
        connection: AsyncConnection,
        progress: Progress,
        fresh: list[Decoded],
        errors: dict[int, Exception],
    ) -> Plan:
        keys = {decoded.key for decoded in fresh if decoded.key is not None}
        states: dict[str, KeyState] = {}
        if keys and self.subscription.order != "none":
            states = await progress.read_keys(connection, keys)
            await progress.read_ids(connection, told_before(fresh, states))
            await self.load_queues(connection, states, errors)
        return classify(poisoned(fresh, errors), states, self.subscription.order)

    async def load_queues(
        self, connection: AsyncConnection, states: dict[str, KeyState], errors: dict[int, Exception]
    ) -> None:
        """Read what waits for a missing version, or behind a failed one."""
        waiting = [k for k, s in states.items() if s.parked not in {None, ParkReason.DIVERGED}]
        if not waiting or self.subscription.order != "dense":
            return
        parked = await Parking(self.consumer, self.subscription.topic).records_of(connection, waiting)
        decoded = [decode_record(each.record, self.subscription) for each in parked]
        for each in poisoned(decoded, errors):
            if each.key is not None and each.version is not None:
                states[each.key].queue[each.version] = each

    async def run_handlers(self, decoded: Iterable[Decoded], uow: UnitOfWork) -> None:
        """Call the handlers, each with as many events as the order of keys allows. Raises HandlerFailure."""
        applied = list(decoded)
        ordered = self.subscription.order != "none"
        bind_correlation(_correlation_of(applied))
        try:
            for kind, batch in layers(applied, kind_of=_kind_of, key_of=lambda d: d.key if ordered else None):
                await self._call(kind, [d.content for d in batch], uow)
            await uow.outbox.flush(uow.connection)
        except Exception as error:  # handlers are other people's code: whatever they raise is theirs
            if is_transient(error):
                raise
            raise HandlerFailure(error, applied) from error

    async def _call(self, kind: type, contents: Sequence[Any], uow: UnitOfWork) -> None:
        if issubclass(kind, EventContract):
            await self.subscription.handlers[kind](contents, uow)
        elif self.subscription.on_tombstones is not None:
            await self.subscription.on_tombstones(contents, uow)

    async def write(self, plan: Plan, uow: UnitOfWork, progress: Progress) -> None:
        """Record what was applied, what waits and what was given up."""
        parking = Parking(self.consumer, self.subscription.topic)
        for letter in plan.dead:
            self._announce(letter, uow.outbox)
        await uow.outbox.flush(uow.connection)
        await progress.write_watermarks(uow.connection, plan.watermarks())
        await parking.park(uow.connection, plan.park.values(), plan.errors(), now=uow.now)
        if waiting := plan.waiting():
            await parking.write_keys(uow.connection, waiting, now=uow.now)
        for key, state in plan.waiting().items():
            if state.parked is not None and self.is_news:
                log.error("key parked", topic=progress.place.topic, key=key, reason=ParkReason(state.parked))

    def _announce(self, letter: DeadLetter, outbox: Outbox) -> None:
        error = letter.cause.error
        record = letter.decoded.record
        rejection = dead_letter_record.Rejection(
            consumer=self.consumer,
            stage=letter.cause.stage,
            error_class=f"{type(error).__module__}.{type(error).__qualname__}",
            message=describe_error(error),
        )
        if self.is_news:
            log.error(
                "dead letter",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                stage=letter.cause.stage,
                error=rejection.error_class,
                # A decoding error's text repeats the data; a handler's stack is what its author needs.
                exc_info=error if letter.cause.stage is Stage.HANDLER else None,
            )
        outbox.add_row(
            topic=dead_letter_topic(record.topic, self.consumer),
            key=dead_letter_record.outbox_key(record),
            wire_type=dead_letter_record.WIRE_TYPE,
            payload=dead_letter_record.pack(record, rejection),
        )


def _kind_of(decoded: Decoded) -> type:
    content = decoded.content
    return type(content.event) if isinstance(content, Received) else type(content)


def _correlation_of(applied: Sequence[Decoded]) -> Correlation:
    """Continue the chain that all events of the batch share, else begin one."""
    envelopes = [d.content.envelope for d in applied if isinstance(d.content, Received | Tombstone)]
    chains = {envelope.correlationid for envelope in envelopes}
    if len(chains) != 1 or (chain := chains.pop()) is None:
        return new_correlation()
    return Correlation(
        correlation_id=chain,
        traceparent=envelopes[0].traceparent or new_traceparent(),
        causation_id=envelopes[0].id if len(envelopes) == 1 else None,
    )
