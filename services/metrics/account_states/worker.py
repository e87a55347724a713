"""The worker's loop: publish what changed, look once a day for what time alone changed."""

import asyncio
from datetime import date

from services.metrics.account_states.commands import (
    PublishAccountStates,
    publish_account_states,
    sweep_trailing_window,
)
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# States are read by people and planners: a second of delay lets many facts of an account share one event.
_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def work(transact: Transactor, stopping: asyncio.Event) -> None:
    """Publish until told to stop."""
    swept: date | None = None
    while not stopping.is_set():
        try:
            today = transact.clock.now().date()
            if swept != today:
                await transact(sweep_trailing_window, today)
                swept = today
            command = PublishAccountStates(transact.clock)
            if await transact(publish_account_states, command) == command.limit:
                continue
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)
