"""The loop that asks reps to acknowledge what concerns them."""

import asyncio

from services.collab.policies.commands.ask_reps import AskReps, ask_reps
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds


async def ask_for_acknowledgements(transact: Transactor, stopping: asyncio.Event) -> None:
    """Ask until told to stop."""
    command = AskReps()

    async def ask() -> bool:
        return await transact(ask_reps, command) == command.limit

    await run_rounds(ask, stopping)
