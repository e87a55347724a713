"""Run a part of a command that may be refused by itself: then nothing of it stays, and the command goes on."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from shared.db.unit_of_work import UnitOfWork

C = TypeVar("C")
R = TypeVar("R")


async def attempt(handler: Callable[[C, UnitOfWork], Awaitable[R]], command: C, uow: UnitOfWork) -> R:
    """Run `handler(command, uow)` behind a savepoint; what it raises takes its writes and its events along."""
    apart = replace(uow, outbox=uow.outbox.apart())
    async with uow.connection.begin_nested():
        result = await handler(command, apart)
    uow.outbox.take_over(apart.outbox)
    return result
