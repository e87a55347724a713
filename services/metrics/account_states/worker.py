"""The worker's loop: publish what changed, look once a day for what time alone changed."""

import asyncio
from datetime import date

from services.metrics.account_states.commands import (
    PublishAccountStates,
    publish_account_states,
    sweep_trailing_window,
)
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def work(transact: Transactor, stopping: asyncio.Event) -> None:
    """Publish until told to stop. The pause between rounds lets many facts of an account share one event."""
    swept: date | None = None
    command = PublishAccountStates(transact.clock)

    async def publish() -> bool:
        nonlocal swept
        today = transact.clock.now().date()
        if swept != today:
            await transact(sweep_trailing_window, today)
            swept = today
        return await transact(publish_account_states, command) == command.limit

    await run_rounds(publish, stopping)
