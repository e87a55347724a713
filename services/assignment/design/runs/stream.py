"""Follows a run until it ends: as it stands at once, and then whenever it changed."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from services.assignment.design.runs.queries import DesignRun, find_run
from shared.db.bell import Bell, until_rung
from shared.db.engine import begin_snapshot

# The bell may miss a ring.
LOOK_SECONDS = 5.0


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
                await until_rung(rung, told_to_end, seconds=LOOK_SECONDS)

    async def _look(self) -> DesignRun:
        async with self.engine.connect() as read:
            await begin_snapshot(read)
            return await find_run(read, self.run_id)
