"""The verbs for a service whose database was restored to an earlier moment: what it forgot, and how it goes on."""

import argparse
import asyncio

from sqlalchemy.exc import DBAPIError

from shared.db.sqlstate import sqlstate_of
from shared.kafka.access import KafkaAccess
from shared.kafka.log import open_log
from shared.messaging.batches import Batches
from shared.messaging.operations.dead_letters import Discarded, discard, list_diverged
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.rebuild import RETRIED
from shared.messaging.operations.versions import (
    KeyBehind,
    counted_topics,
    find_behind,
    on_their_way,
    raise_numbers,
)

_TRIES, _PAUSE_SECONDS = 20, 0.5


async def compare_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which keys are behind what was told of them; False when any is."""
    behind, retold = await _look(desk)
    desk.answers.rows(
        [key.row(retold) for key in behind],
        title="Behind what was told",
        nothing="The database knows all that its topics tell.",
    )
    return not behind


async def raise_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001
    """Number above what was told, and tell anew what readers took for repeats."""
    behind, _ = await _look(desk)
    async with desk.change("versions raise", _said_about(behind)) as uow:
        raised = await raise_numbers(behind, uow)
    desk.answers.done(
        {"keys": raised.keys, "told_anew": raised.told_anew, "dry_run": desk.dry_run},
        f"{_would(desk)}Raised {raised.keys} keys, {raised.told_anew} events are told anew.",
    )
    return True


async def settle_keys(desk: Desk, options: argparse.Namespace) -> bool:
    """Give up what diverged, of every key, and go on with the rest; False when some of it waits on."""
    batches = desk.batches(options.consumer, options.topic)
    keys = await list_diverged(batches)
    found: list[Discarded] = []
    left: list[str] = []
    with desk.answers.steps(len(keys)) as steps:
        for key in keys:
            settled = await _settle(desk, batches, key)
            found += [] if settled is None else [settled]
            left += [key] if settled is None or settled.refused is not None else []
            steps.say(key, done=1)
    given_up, replayed = sum(each.given_up for each in found), sum(each.replayed for each in found)
    rest = f" Some of these waits on; `dlq list` tells why: {', '.join(left)}." if left else ""
    desk.answers.done(
        {
            "keys": len(keys),
            "records": given_up,
            "replayed": replayed,
            "left": left,
            "dry_run": desk.dry_run,
        },
        f"{_would(desk)}Gave up {given_up} records of {len(keys)} keys, applied {replayed}.{rest}",
    )
    return not left


async def _settle(desk: Desk, batches: Batches, key: str) -> Discarded | None:
    """Settle one key in a transaction of its own; None when a running consumer was in the way all the time.

    A key at a time, because a transaction that holds a partition may wait for what its handlers lock, as the
    consumer's do, and must not hold other partitions then.
    """
    what = {"consumer": batches.consumer, "topic": batches.subscription.topic, "key": key}
    for _ in range(_TRIES):
        try:
            async with desk.change("dlq settle", what) as uow:
                return await discard(batches, key, uow)
        except DBAPIError as error:
            if sqlstate_of(error) not in RETRIED:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
    return None


def _would(desk: Desk) -> str:
    return "Dry run, nothing was changed: " if desk.dry_run else ""


async def _look(desk: Desk) -> tuple[list[KeyBehind], frozenset[str]]:
    async with (
        open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.versions") as log,
        desk.engine.connect() as connection,
    ):
        # Of its own each: reading a long topic between two questions is no transaction to keep open.
        read = await connection.execution_options(isolation_level="AUTOCOMMIT")
        retold = await on_their_way(read)
        with desk.answers.steps(0) as steps:
            return await find_behind(read, log, steps, counted_topics(desk.service), retold), retold


def _said_about(behind: list[KeyBehind]) -> dict[str, object]:
    topics = sorted({key.topic for key in behind})
    return {topic: sum(key.topic == topic for key in behind) for topic in topics}
