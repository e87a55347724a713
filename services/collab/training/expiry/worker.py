"""The loop that notices what the calendar does to certifications, and whom programmes name meanwhile."""

import asyncio
from datetime import datetime, timedelta

from services.collab.training.expiry.commands import (
    EnrolByRule,
    NoticeExpiry,
    enrol_whom_rules_name,
    notice_expired,
    notice_expiring,
)
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds

# The rules look at every account: coverage that begins is enrolled by its consumer at once.
_ENROL_EVERY = timedelta(seconds=10)


async def watch_certifications(transact: Transactor, stopping: asyncio.Event) -> None:
    """Notice until told to stop."""
    enrolled_at: datetime | None = None

    async def watch() -> bool:
        nonlocal enrolled_at
        if await _notice(transact):
            return True
        now = transact.clock.now()
        if enrolled_at is None or now - enrolled_at >= _ENROL_EVERY:
            await transact(enrol_whom_rules_name, EnrolByRule())
            enrolled_at = now
        return False

    await run_rounds(watch, stopping)


async def _notice(transact: Transactor) -> bool:
    command = NoticeExpiry()
    noticed = [await transact(notice, command) for notice in (notice_expiring, notice_expired)]
    return command.limit in noticed
