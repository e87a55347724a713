"""The loop that asks reps to acknowledge what concerns them."""

import asyncio

from services.collab.policies.commands.ask_reps import AskReps, ask_reps
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# Whoever is concerned reads so at once; their clock starts within this.
_PAUSE_SECONDS = 2.0

log = get_logger(__name__)


async def ask_for_acknowledgements(transact: Transactor, stopping: asyncio.Event) -> None:
    """Ask until told to stop."""
    command = AskReps()
    while not stopping.is_set():
        try:
            while not stopping.is_set() and await transact(ask_reps, command) == command.limit:
                pass
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)
