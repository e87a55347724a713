"""Wait for a lock only so long, and say then what is under way instead of "busy"."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError

from services.assignment.plans.refusals import PlanBusy
from shared.db.sqlstate import LOCK_NOT_AVAILABLE, sqlstate_of


@asynccontextmanager
async def wait_for_lock(under_way: str) -> AsyncIterator[None]:
    """Tell the caller what is `under_way` when the lock is not granted in time. Raises PlanBusy."""
    try:
        yield
    except DBAPIError as error:
        if sqlstate_of(error) == LOCK_NOT_AVAILABLE:
            raise PlanBusy(f"{under_way}; nothing was changed. Try again.", outcome="unchanged") from None
        raise
