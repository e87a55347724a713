"""Follows a run until it ends: as it stands at once, and then whenever it changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.assignment.design.runs.queries import DesignRun, find_run
from shared.db.bell import Bell
from shared.db.engine import begin_snapshot

# The bell may miss a ring.
LOOK_SECONDS = 5.0
_SLICE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Follower:
    """One reader of one run, looked at through the api's database."""

    engine: AsyncEngine
    bell: Bell
    run_id: UUID

    async def follow(self, after: int | None, *, told_to_end: Callable[[], bool]) -> AsyncIterator[DesignRun]:
        """Yield the run when its number is not the one that was seen last; the last time when it has ended.

        Raises NotFound.
        """
        with self.bell.waiting(str(self.run_id)) as rung:
            while not told_to_end():
                # Before the look: what comes during it rings again.
                rung.clear()
                run = await self._look()
                if run.number != after or run.state.ended:
                    yield run
                after = run.number
                if run.state.ended:
                    return
                await _wait(rung, told_to_end)

    async def _look(self) -> DesignRun:
        async with self.engine.connect() as read:
            await begin_snapshot(read)
            return await find_run(read, self.run_id)


async def _wait(rung: asyncio.Event, told_to_end: Callable[[], bool]) -> None:
    """Wait for the bell, for some seconds at most; a process that stops is noticed within a slice."""
    for _ in range(int(LOOK_SECONDS / _SLICE_SECONDS)):
        if told_to_end():
            return
        try:
            async with asyncio.timeout(_SLICE_SECONDS):
                await rung.wait()
        except TimeoutError:
            continue
        return
