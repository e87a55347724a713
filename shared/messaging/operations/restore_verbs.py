"""The verbs for a service whose database was restored to an earlier moment: what it forgot, and how it goes on."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from sqlalchemy.exc import DBAPIError

from shared.db.sqlstate import sqlstate_of
from shared.kafka.access import KafkaAccess
from shared.kafka.log import Log, open_log
from shared.messaging.batches import Batches
from shared.messaging.operations.dead_letters import Freed, discard, list_diverged
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.freeing import free
from shared.messaging.operations.rebuild import RETRIED
from shared.messaging.operations.refusals import NotToldAnew
from shared.messaging.operations.versions import (
    Comparison,
    KeyBehind,
    counted_topics,
    find_behind,
    on_their_way,
    raise_numbers,
)

_TRIES, _PAUSE_SECONDS = 20, 0.5


async def compare_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001 - verbs are called alike
    """Tell which keys are behind what was told of them; False when any is."""
    async with _open_log(desk) as log:
        compared, retold = await _look(desk, log)
    desk.answers.rows(
        [key.row(retold) for key in compared.behind],
        title="Behind what was told",
        nothing="The database knows all that its topics tell.",
    )
    return not compared.behind


async def raise_versions(desk: Desk, options: argparse.Namespace) -> bool:  # noqa: ARG001
    """Number above what was told, and tell anew what readers took for repeats."""
    async with _open_log(desk) as log:
        compared, _ = await _look(desk, log)
        async with desk.change("versions raise", _said_about(compared.behind)) as uow:
            raised = await raise_numbers(compared, log, uow)
    desk.answers.done(
        {"keys": raised.keys, "told_anew": raised.told_anew, "dry_run": desk.dry_run},
        f"{desk.rehearsed}Raised {raised.keys} keys, {raised.told_anew} events are told anew.",
    )
    return True


async def settle_keys(desk: Desk, options: argparse.Namespace) -> bool:
    """Give up what diverged and was told anew, of every key, and go on with the rest; False when some of it waits on."""
    batches = desk.batches(options.consumer, options.topic)
    keys = await list_diverged(batches)
    found: list[Freed] = []
    left: list[str] = []
    untold: list[str] = []
    with desk.answers.steps(len(keys)) as steps:
        for key in keys:
            try:
                settled = await _settle(desk, batches, key, accept_loss=options.accept_loss)
            except NotToldAnew:
                untold.append(key)
            else:
                found += [] if settled is None else [settled]
                left += [key] if settled is None or settled.waits else []
            steps.say(key, done=1)
    given_up, replayed = sum(each.given_up for each in found), sum(each.replayed for each in found)
    desk.answers.done(
        {
            "keys": len(keys),
            "records": given_up,
            "replayed": replayed,
            "left": left,
            "untold": untold,
            "dry_run": desk.dry_run,
        },
        f"{desk.rehearsed}Gave up {given_up} records of {len(found)} keys, applied {replayed}."
        f"{_rest(left)}{_untold(untold)}",
    )
    return not left and not untold


def _rest(left: list[str]) -> str:
    return f" Some of these waits on; `dlq list` tells why: {', '.join(left)}." if left else ""


def _untold(keys: list[str]) -> str:
    if not keys:
        return ""
    return (
        f" Left as they are, because what diverged has not come again: {', '.join(keys)}. Have the publisher tell it "
        "(`events versions raise` there; for states `events state republish`), wait until it was read, and settle "
        "again; --accept-loss gives it up."
    )


async def _settle(desk: Desk, batches: Batches, key: str, *, accept_loss: bool) -> Freed | None:
    """Settle one key; None when a running consumer was in the way all the time. Raises NotToldAnew.

    A key at a time, because a transaction that holds a partition may wait for what its handlers lock, as the
    consumer's do, and must not hold other partitions then.
    """
    what = {"consumer": batches.consumer, "topic": batches.subscription.topic, "key": key}
    if accept_loss:
        what["accept_loss"] = "true"
    for _ in range(_TRIES):
        try:
            return await free(
                desk,
                "dlq settle",
                what,
                begin=lambda uow: discard(batches, key, uow, accept_loss=accept_loss),
                batches=batches,
                key=key,
            )
        except DBAPIError as error:
            if sqlstate_of(error) not in RETRIED:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)
    return None


def _open_log(desk: Desk) -> AbstractAsyncContextManager[Log]:
    return open_log(KafkaAccess.from_settings(desk.settings), client_id=f"{desk.service}.versions")


async def _look(desk: Desk, log: Log) -> tuple[Comparison, frozenset[str]]:
    topics = counted_topics(desk.service, desk.states)
    async with desk.engine.connect() as connection:
        # Of its own each: reading a long topic between two questions is no transaction to keep open.
        read = await connection.execution_options(isolation_level="AUTOCOMMIT")
        retold = await on_their_way(read)
        with desk.answers.steps(0) as steps:
            return await find_behind(read, log, steps, topics, retold), retold


def _said_about(behind: Sequence[KeyBehind]) -> dict[str, object]:
    topics = sorted({key.place.topic for key in behind})
    return {topic: sum(key.place.topic == topic for key in behind) for topic in topics}
