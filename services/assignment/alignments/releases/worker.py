"""The loop that lets accounts go when their pins run out."""

import asyncio

from services.assignment.alignments.releases.commands import ReleaseAccounts, release_accounts
from services.assignment.plans.refusals import PlanBusy
from shared.db.transact import Transactor
from shared.messaging.transient import is_transient
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

# How long after its expiry a pin may go on holding an account.
_PAUSE_SECONDS = 1.0

log = get_logger(__name__)


async def watch_pins(transact: Transactor, stopping: asyncio.Event) -> None:
    """Release accounts until told to stop."""
    command = ReleaseAccounts()
    while not stopping.is_set():
        try:
            while not stopping.is_set() and await transact(release_accounts, command) == command.limit:
                pass
        except PlanBusy:
            # Whatever is under way aligns all accounts, without the pins that have run out.
            log.info("plan busy, trying again")
        except Exception as error:
            # A database that is away comes back; anything else is a fault to stop for.
            if not is_transient(error):
                raise
            log.warning("database away, trying again", error=type(error).__name__)
        await pause(stopping, _PAUSE_SECONDS)
