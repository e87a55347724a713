"""What nobody waits for: outbox figures for Prometheus, and old idempotency keys put away."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import metrics
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger

log = get_logger(__name__)

# What the API promises for a retried request; the stored responses count as personal data.
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
_EVERY_SECONDS = 5.0
_PURGE_EVERY = 120

_FIGURES = text("""
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT 10001) AS sample) AS waiting,
       (SELECT reltuples FROM pg_class WHERE oid = 'outbox'::regclass) AS estimate,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox ORDER BY seq LIMIT 1), 0)
           AS oldest
""")
# In bites, so that no lock and no transaction lasts.
_PURGE = text("""
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < :before LIMIT 1000
))
""")


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Runs beside a service's relay."""

    service: str
    engine: AsyncEngine
    clock: Clock

    async def run(self, stopping: asyncio.Event) -> None:
        """Measure every few seconds, purge every ten minutes."""
        round_number = 0
        while not stopping.is_set():
            try:
                await self.measure()
                if round_number % _PURGE_EVERY == 0:
                    await self.purge()
            except (SQLAlchemyError, OSError) as error:
                log.warning("housekeeping skipped", error=type(error).__name__)
            round_number += 1
            try:
                async with asyncio.timeout(_EVERY_SECONDS):
                    await stopping.wait()
            except TimeoutError:
                continue

    async def measure(self) -> None:
        """Tell how much waits, and for how long."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(_FIGURES)).one()
        waiting = row.waiting if row.waiting <= 10_000 else max(row.waiting, row.estimate)
        metrics.OUTBOX_ROWS.labels(self.service).set(waiting)
        metrics.OUTBOX_OLDEST.labels(self.service).set(row.oldest)

    async def purge(self) -> int:
        """Forget the answers to requests of yesterday; return how many."""
        purged = 0
        while True:
            async with self.engine.begin() as connection:
                before = self.clock.now() - KEEP_IDEMPOTENCY_KEYS
                found = (await connection.execute(_PURGE, {"before": before})).rowcount
            purged += found
            if found < 1000:
                return purged
