"""The loop that announces reps whom nobody was told of: registered by a release that did not announce them."""

import asyncio

from services.assignment.reps.commands import AnnounceReps, announce_reps
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def tell_of_reps(transact: Transactor, stopping: asyncio.Event) -> None:
    """Announce reps until told to stop."""
    command = AnnounceReps()

    async def announce() -> bool:
        return await transact(announce_reps, command) == command.limit

    await run_rounds(announce, stopping)
