"""The only place that commits: open a unit of work, run, write the outbox, commit, retry what may be retried."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.identity import SYSTEM
from shared.db.outbox import Outbox
from shared.db.sqlstate import DEADLOCK, SERIALIZATION_FAILURE, sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger

C = TypeVar("C")
R = TypeVar("R")

log = get_logger(__name__)

# After an online ALTER, a plan cached by asyncpg fails once; it is a fresh plan's turn.
CACHED_PLAN_CHANGED = "0A000"
_ATTEMPTS = 4


class Overtaken(Exception):
    """Another transaction wrote what this one had looked for and not found: its decision stands on nothing."""


@dataclass(frozen=True, slots=True)
class Transactor:
    """Runs commands, each in a transaction of its own."""

    engine: AsyncEngine
    clock: Clock
    source: str

    async def __call__(
        self, handler: Callable[[C, UnitOfWork], Awaitable[R]], command: C, *, actor: str = SYSTEM
    ) -> R:
        """Run `handler(command, uow)` and commit; run it again after a deadlock, and when it was overtaken."""
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._once(handler, command, actor)
            except (DBAPIError, Overtaken) as error:
                if attempt == _ATTEMPTS or not _may_retry(error):
                    raise
                log.info("transaction retried", attempt=attempt, error=_name_of(error))
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter
        raise AssertionError("unreachable")

    async def _once(self, handler: Callable[[C, UnitOfWork], Awaitable[R]], command: C, actor: str) -> R:
        async with self.engine.begin() as connection:
            outbox = Outbox(source=self.source)
            uow = UnitOfWork(connection=connection, now=self.clock.now(), actor=actor, outbox=outbox)
            result = await handler(command, uow)
            await outbox.flush(connection)
            return result


def _may_retry(error: DBAPIError | Overtaken) -> bool:
    if isinstance(error, Overtaken):
        return True
    state = sqlstate_of(error)
    if state == CACHED_PLAN_CHANGED:
        return "cached statement plan is invalid" in str(error.orig)
    return state in {SERIALIZATION_FAILURE, DEADLOCK}


def _name_of(error: DBAPIError | Overtaken) -> str:
    return (sqlstate_of(error) if isinstance(error, DBAPIError) else None) or type(error).__name__
