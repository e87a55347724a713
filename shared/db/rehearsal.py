"""Run a command as it would go and take back all that it did: what it answers is what it would have answered."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from shared.db.outbox import Outbox
from shared.db.unit_of_work import UnitOfWork

C = TypeVar("C")
R = TypeVar("R")


async def rehearse(handler: Callable[[C, UnitOfWork], Awaitable[R]], command: C, uow: UnitOfWork) -> R:
    """Run `handler(command, uow)` behind a savepoint that is rolled back; its events are never sent."""
    rehearsal = replace(uow, outbox=Outbox(source="rehearsal"))
    async with uow.connection.begin_nested() as savepoint:
        result = await handler(command, rehearsal)
        # Written, too: what the outbox would refuse has to show in a rehearsal.
        await rehearsal.outbox.flush(uow.connection)
        await savepoint.rollback()
    return result
