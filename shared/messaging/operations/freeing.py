"""A parked key's queue, however long: a transaction for each part of it, each with its entry in the audit."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from shared.db.unit_of_work import UnitOfWork
from shared.messaging.batches import Batches
from shared.messaging.operations.dead_letters import Freed, go_on
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.diagnosis import diagnose
from shared.messaging.operations.missing import missing_versions
from shared.messaging.transient import is_transient

Begin = Callable[[UnitOfWork], Awaitable[Freed]]


async def free(
    desk: Desk, words: str, what: Mapping[str, object], *, begin: Begin, batches: Batches, key: str
) -> Freed:
    """Begin, then go on with the key's records to their end, or to one that is refused.

    A dry run does all of it in one transaction, and takes that back. Raises what `begin` raises; from then on what
    fails is in the answer, because something was done.
    """
    told = dict(what)
    async with desk.change(words, told) as uow:
        freed = await begin(uow)
        # Into its entry in the audit, which is written last.
        told |= freed.lost()
        while freed.more and desk.dry_run:
            freed = await go_on(freed, batches, key, uow)
        freed = await _look(freed, batches, key, uow)
    while freed.more:
        try:
            async with desk.change(words, what) as uow:
                freed = await _look(await go_on(freed, batches, key, uow), batches, key, uow)
        except DBAPIError as error:
            if not is_transient(error):
                raise
            told_of = diagnose(error, desk.settings, service=desk.service).told
            return replace(freed, refused=f"{told_of} Replay it.", more=False)
    return freed


async def _look(freed: Freed, batches: Batches, key: str, uow: UnitOfWork) -> Freed:
    """Add what the key waits for now."""
    topic = batches.subscription.topic
    missing = await missing_versions(uow.connection, consumer=batches.consumer, topic=topic, key=key)
    return replace(freed, missing=missing)
