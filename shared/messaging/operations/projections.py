"""Which projections there are, and the whole way of a rebuild: build, compare, swap."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError

from shared.db.sqlstate import sqlstate_of
from shared.kafka.log import Log
from shared.kafka.records import TopicPartition
from shared.messaging.operations.answers import Steps
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.rebuild import RETRIED, TAIL_RECORDS, Build, Comparison, begin_build
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.swap import Swap, outlast_transactions
from shared.messaging.projection import Projection
from shared.messaging.subscription import Subscription

# Five seconds of knocking a fifth of a second long, with growing pauses: the tables were never free.
_ATTEMPTS = 60
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to."""

    comparison: Comparison
    swapped: bool


class _StillBehind(Exception):
    """The live consumer went on while it was to be held: catch up first."""


def list_projections(desk: Desk) -> list[dict[str, Any]]:
    """Return every subscription with what it keeps, and why some cannot be built anew."""
    return [
        _described(consumer, subscription)
        for consumer, subscriptions in sorted(desk.consumers.items())
        for subscription in subscriptions
    ]


async def rebuild(
    desk: Desk, log: Log, steps: Steps, *, consumer: str, topic: str | None, accept_difference: bool
) -> Rebuilt:
    """Build a projection anew, compare it with the live one, and put it in its place if it is the same.

    With `accept_difference` also when it is not. Raises Refused, or BrokerAway; the live tables are untouched then.
    """
    async with begin_build(desk, log, steps, consumer=consumer, topic=topic) as build:
        await build.prepare()
        await _catch_up_with_live(build)
        comparison = await build.compare()
        if desk.dry_run:
            await build.drop()
            return Rebuilt(comparison, swapped=False)
        if not (comparison.equal or accept_difference):
            # The tables stay where they are, for a closer look; the next build drops them.
            return Rebuilt(comparison, swapped=False)
        steps.say("waiting for older transactions")
        await build.analyze()
        await outlast_transactions(build.engine)
        await _swap_patiently(desk, build, comparison)
        await build.drop()
    return Rebuilt(comparison, swapped=True)


async def _catch_up_with_live(build: Build) -> None:
    async with build.engine.connect() as connection:
        target = await build.live_offsets(connection)
    behind = await build.behind(target)
    build.steps.say("reading", more=sum(target[place] - at for place, at in behind.items()))
    await build.catch_up(target)


async def _swap_patiently(desk: Desk, build: Build, comparison: Comparison) -> None:
    pause = 0.1
    for _ in range(_ATTEMPTS):
        await _catch_up_with_live(build)
        build.steps.say("changing places")
        try:
            await _swap(desk, build, comparison)
        except _StillBehind:
            continue
        except DBAPIError as error:
            if sqlstate_of(error) not in RETRIED:
                raise
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        else:
            return
    raise Refused(
        "The tables were in use all the time; the build was not put in their place. End what holds them "
        "(pg_locks tells), or retry when it is quieter."
    )


async def _swap(desk: Desk, build: Build, comparison: Comparison) -> None:
    names = {"consumer": build.batches.consumer, "topic": build.batches.subscription.topic}
    swap = Swap(build.schemas, tables=build.projection.tables, **names)
    told = {**names, "equal": comparison.equal, "tables": ",".join(build.projection.tables)}
    async with desk.change("projection rebuild", told, engine=build.engine) as uow:
        held = await swap.begin(uow.connection)
        target = {TopicPartition(names["topic"], number): offset for number, offset in held.items()}
        behind = await build.behind(target)
        if sum(target[place] - at for place, at in behind.items()) > TAIL_RECORDS:
            raise _StillBehind
        await build.catch_up(target)
        await swap.take_over(uow.connection)


def _described(consumer: str, subscription: Subscription) -> dict[str, Any]:
    keeps = subscription.keeps
    return {
        "consumer": consumer,
        "topic": subscription.topic,
        "rebuildable": isinstance(keeps, Projection),
        "tables": list(keeps.tables) if isinstance(keeps, Projection) else [],
        "why_not": None if isinstance(keeps, Projection) else keeps.why,
    }
