"""The worker's loop: follow active goals."""

import asyncio
from datetime import timedelta

from services.metrics.goals.commands.follow_goals import FollowGoals, follow_next_goal
from shared.db.transact import Transactor
from shared.messaging.rounds import run_rounds

_EVERY = FollowGoals(every=timedelta(seconds=2))


async def follow_goals(transact: Transactor, stopping: asyncio.Event) -> None:
    """Follow until told to stop."""
    await run_rounds(lambda: transact(follow_next_goal, _EVERY), stopping)
