"""The loop that takes the steps of protocols as their time comes."""

import asyncio

from services.collab.protocols.obligations.commands.take_steps import TakeSteps, take_steps
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def run_protocols(transact: Transactor, stopping: asyncio.Event) -> None:
    """Take steps until told to stop."""
    command = TakeSteps()

    async def take() -> bool:
        return await transact(take_steps, command) == command.limit

    await run_rounds(take, stopping)
