"""One command, one transaction: state, events and the stored answer commit together or not at all."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.outbox import Outbox


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """What a command may touch. `now` is one instant for the whole command; commands never commit."""

    connection: AsyncConnection
    now: datetime
    actor: str
    outbox: Outbox
