"""The loop that takes the steps of protocols as their time comes."""

import asyncio

from services.collab.protocols.obligations.commands.take_steps import TakeSteps, take_steps
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# Deadlines are hours and days away; a step is taken within this of its time.
_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def run_protocols(transact: Transactor, stopping: asyncio.Event) -> None:
    """Take steps until told to stop."""
    command = TakeSteps()
    while not stopping.is_set():
        try:
            while not stopping.is_set() and await transact(take_steps, command) == command.limit:
                pass
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)
