"""What an api process is made of; built once by a service's bootstrap, read by dependencies."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.transact import Transactor
from shared.http.tokens import Tokens
from shared.runtime.clock import Clock


@dataclass(frozen=True, slots=True)
class Parts:
    """The api's working parts."""

    service: str
    engine: AsyncEngine
    clock: Clock
    transact: Transactor
    tokens: Tokens
    max_body_bytes: int
