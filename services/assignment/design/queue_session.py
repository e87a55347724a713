"""The worker's session with the queue of design runs, as its probe sees it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class QueueSession:
    """Tells whether the worker hears of design runs: while it has no session with their queue, it takes none."""

    def __init__(self) -> None:
        self._gone: asyncio.Event | None = None

    @contextmanager
    def held(self, gone: asyncio.Event) -> Iterator[None]:
        """Count as held for as long as this block runs, or until the session is gone."""
        self._gone = gone
        try:
            yield
        finally:
            self._gone = None

    async def check(self) -> str | None:
        """Return None while there is a session, else why no run is taken."""
        if self._gone is None or self._gone.is_set():
            return "no session with the queue of design runs: Postgres is away"
        return None
