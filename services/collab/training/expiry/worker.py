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
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# Days pass slowly; what is granted for days that are over is announced within this.
_PAUSE_SECONDS = 1.0
# The rules look at every account: coverage that begins is enrolled by its consumer at once.
_ENROL_EVERY = timedelta(seconds=10)

log = get_logger(__name__)


async def watch_certifications(transact: Transactor, stopping: asyncio.Event) -> None:
    """Notice until told to stop."""
    enrolled_at: datetime | None = None
    while not stopping.is_set():
        try:
            await _notice_all(transact, stopping)
            now = transact.clock.now()
            if enrolled_at is None or now - enrolled_at >= _ENROL_EVERY:
                await transact(enrol_whom_rules_name, EnrolByRule())
                enrolled_at = now
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)


async def _notice_all(transact: Transactor, stopping: asyncio.Event) -> None:
    command = NoticeExpiry()
    for notice in (notice_expiring, notice_expired):
        while not stopping.is_set() and await transact(notice, command) == command.limit:
            pass
