"""The worker's loop that tells Prometheus how many design runs wait and go on. Every worker tells the same."""

import asyncio

from prometheus_client import Gauge
from sqlalchemy import text

from services.assignment.design.runs.run import RunState
from services.assignment.design.worker import is_away
from shared.db.transact import Transactor
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause, unless_told

RUNS = Gauge("bailiwick_design_runs", "Design runs that wait or go on", ["state"])
OLDEST = Gauge(
    "bailiwick_design_queued_oldest_seconds", "How long the design run that waits longest has done so"
)

_EVERY_SECONDS = 5.0

# Of a run that waits, what changed last is that it began to.
_FIGURES = text("""
SELECT count(*) FILTER (WHERE state = 'queued') AS queued, count(*) FILTER (WHERE state = 'running') AS running,
       min(told_at) FILTER (WHERE state = 'queued') AS oldest
FROM design_runs WHERE state IN ('queued', 'running')
""")

log = get_logger(__name__)


async def measure_design_runs(transact: Transactor, stopping: asyncio.Event) -> None:
    """Measure every few seconds until told to stop."""
    while not stopping.is_set():
        await unless_told(stopping, _try_to_measure(transact))
        await pause(stopping, _EVERY_SECONDS)


async def measure(transact: Transactor) -> None:
    """Tell how many runs wait and go on, and since when the first of them waits."""
    async with transact.engine.connect() as read:
        row = (await read.execute(_FIGURES)).one()
    RUNS.labels(RunState.QUEUED.value).set(row.queued)
    RUNS.labels(RunState.RUNNING.value).set(row.running)
    waited = 0.0 if row.oldest is None else (transact.clock.now() - row.oldest).total_seconds()
    OLDEST.set(max(waited, 0.0))


async def _try_to_measure(transact: Transactor) -> None:
    try:
        await measure(transact)
    except Exception as error:
        # A database that is away comes back; anything else is a fault to stop for.
        if not is_away(error):
            raise
        log.warning("database away, trying again", error=type(error).__name__)
