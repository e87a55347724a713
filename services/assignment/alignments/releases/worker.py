"""The loop that lets accounts go when their pins run out."""

import asyncio

from services.assignment.alignments.releases.commands import ReleaseAccounts, release_accounts
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def watch_pins(transact: Transactor, stopping: asyncio.Event) -> None:
    """Release accounts until told to stop."""
    command = ReleaseAccounts()

    async def release() -> bool:
        return await transact(release_accounts, command) == command.limit

    await run_rounds(release, stopping)
