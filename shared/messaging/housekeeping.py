"""What nobody waits for: figures for Prometheus, and old idempotency keys put away.

Those of the outbox belong to the relay, those of parked keys to the consumers. Idempotency keys are put away by relays
and consumers alike, because an operator may run Debezium instead of our relay; a lock lets one process at a time do it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from asyncpg import InternalClientError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messaging import metrics
from shared.messaging.parked_counts import ParkedCount, count_parked
from shared.messaging.subscription import Subscription
from shared.runtime.clock import Clock
from shared.runtime.logging import get_logger
from shared.runtime.stopping import pause

log = get_logger(__name__)

# What the API promises for a retried request; the stored responses count as personal data.
KEEP_IDEMPOTENCY_KEYS = timedelta(hours=24)
_MEASURE_SECONDS = 5.0
_COUNT_SECONDS = 15.0
_PURGE_SECONDS = 600.0
_BITE = 1000

_FIGURES = text("""
SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT 10001) AS sample) AS waiting,
       (SELECT reltuples FROM pg_class WHERE oid = 'outbox'::regclass) AS estimate,
       coalesce((SELECT extract(epoch FROM clock_timestamp() - created_at) FROM outbox ORDER BY seq LIMIT 1), 0)
           AS oldest,
       (SELECT count(*) FROM outbox_dead WHERE holds_key) AS holding,
       (SELECT count(*) FROM outbox_dead WHERE NOT holds_key) AS let_go
""")
# Of the transaction, not of the session: a pooler may stand between.
_TURN = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
# In bites, so that no lock and no transaction lasts.
_PURGE = text("""
DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM idempotency_keys WHERE created_at < :before LIMIT :bite
))
""")


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Runs beside a service's relay, and the purge beside its consumers too."""

    service: str
    engine: AsyncEngine
    clock: Clock

    async def keep_measuring(self, stopping: asyncio.Event) -> None:
        """Measure every few seconds."""
        await _every(_MEASURE_SECONDS, self.measure, stopping)

    async def keep_counting(
        self, consumers: Mapping[str, Sequence[Subscription]], stopping: asyncio.Event
    ) -> None:
        """Count what waits of what these consumers read, several times a minute."""
        await _every(_COUNT_SECONDS, lambda: self.count(consumers), stopping)

    async def keep_purging(self, stopping: asyncio.Event) -> None:
        """Purge at the start and every ten minutes."""
        await _every(_PURGE_SECONDS, self.purge, stopping)

    async def measure(self) -> None:
        """Tell how much waits, and for how long."""
        async with self.engine.connect() as connection:
            row = (await connection.execute(_FIGURES)).one()
        waiting = row.waiting if row.waiting <= 10_000 else max(row.waiting, row.estimate)
        metrics.OUTBOX_ROWS.labels(self.service).set(waiting)
        metrics.OUTBOX_OLDEST.labels(self.service).set(row.oldest)
        metrics.QUARANTINED.labels(self.service, "true").set(row.holding)
        metrics.QUARANTINED.labels(self.service, "false").set(row.let_go)

    async def count(self, consumers: Mapping[str, Sequence[Subscription]]) -> None:
        """Tell how many keys wait, also where none does."""
        async with self.engine.connect() as connection:
            parked = await count_parked(connection)
        for consumer, subscriptions in consumers.items():
            for subscription in subscriptions:
                found = parked.get((consumer, subscription.topic), ParkedCount())
                metrics.PARKED_KEYS.labels(consumer, subscription.topic).set(found.keys)
                metrics.DIVERGED_KEYS.labels(consumer, subscription.topic).set(found.diverged)

    async def purge(self) -> int:
        """Forget the answers to requests of yesterday; return how many. Whose turn it is not does nothing."""
        purged = 0
        while True:
            found = await self._purge_bite()
            purged += found
            if found < _BITE:
                return purged

    async def _purge_bite(self) -> int:
        async with self.engine.begin() as connection:
            if not (await connection.execute(_TURN, {"name": f"{self.service}.purge"})).scalar_one():
                return 0
            before = self.clock.now() - KEEP_IDEMPOTENCY_KEYS
            return (await connection.execute(_PURGE, {"before": before, "bite": _BITE})).rowcount


async def _every(seconds: float, work: Callable[[], Awaitable[object]], stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await work()
        except (SQLAlchemyError, InternalClientError, OSError) as error:
            log.warning("housekeeping skipped", error=type(error).__name__)
        await pause(stopping, seconds)
