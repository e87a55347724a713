"""Building a projection anew beside the live one, from the beginning of its topic, and putting it in its place.

1. Empty tables in the shadow schema; the subscription's own handlers fill them, up to where the live consumer is.
2. One snapshot tells the live consumer's position and the live tables' checksums at that very position; the build
   goes on up to there, and its checksums are compared.
3. The live consumer is held for a moment by its offset rows, the build takes what came meanwhile, tables change places.

Requests are answered all the time. The live consumer waits in step 3 only, for what it applied since step 2.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.engine import begin_snapshot, build_engine
from shared.db.sqlstate import DEADLOCK, LOCK_NOT_AVAILABLE
from shared.kafka.log import Log
from shared.kafka.records import TopicPartition
from shared.messaging import dead_letter_record
from shared.messaging.batches import Batches
from shared.messaging.operations import shadow
from shared.messaging.operations.answers import Steps
from shared.messaging.operations.checksum import Checksum, checksum_parked, checksum_tables
from shared.messaging.operations.desk import Desk
from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.shadow import Schemas
from shared.messaging.positions import OffsetGap
from shared.messaging.progress import Progress
from shared.messaging.projection import Entangled, Projection
from shared.messaging.reader import chunks
from shared.messaging.subscription import Subscription

RETRIED = frozenset({DEADLOCK, LOCK_NOT_AVAILABLE})
# What the live consumer may be made to wait for; with more to catch up on, the build catches up first.
TAIL_RECORDS = 2_000
_OURS_ALONE = text("SELECT pg_try_advisory_lock(hashtext(:name))")

Offsets = dict[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is live and what was built, at the same offsets: checksums by table, and of the keys that wait."""

    live: Mapping[str, Checksum]
    built: Mapping[str, Checksum]

    @property
    def equal(self) -> bool:
        """Tell whether both hold the same."""
        return self.live == self.built

    def rows(self) -> list[dict[str, object]]:
        """Return what there is to show."""
        return [
            {
                "table": table,
                "live_rows": live.rows,
                "built_rows": self.built[table].rows,
                "live_checksum": live.digest,
                "built_checksum": self.built[table].digest,
                "equal": live == self.built[table],
            }
            for table, live in self.live.items()
        ]


@dataclass(frozen=True, slots=True)
class Build:
    """A projection under construction. `engine` is the schema owner's, and looks at the shadow schema first."""

    batches: Batches
    projection: Projection
    schemas: Schemas
    engine: AsyncEngine
    log: Log
    steps: Steps

    async def prepare(self) -> None:
        """Make empty tables, and begin where the log does. Raises Refused, or BrokerAway."""
        topic = self.batches.subscription.topic
        begins = await self.log.begins(self.log.partitions_of(topic))
        if not begins:
            raise Refused(f"topic: the cluster has no {topic}; create the topics first.")
        require_whole(self.batches.subscription, begins)
        async with self.engine.begin() as connection:
            await shadow.require_movable(connection, self.schemas, self.projection.tables)
            await shadow.clear(connection, self.schemas)
            await shadow.create(connection, self.schemas, self.projection.tables)
        for place, begin in begins.items():
            await self.batches.begin(place, at=begin)

    async def live_offsets(self, connection: AsyncConnection) -> Offsets:
        """Return how far the live consumer is; a partition that it never read is left out."""
        rows = await connection.execute(
            text(
                f"SELECT partition, next_offset FROM {self.schemas.live}.consumer_offsets "
                "WHERE consumer = :consumer AND topic = :topic"
            ),
            self._names,
        )
        return {
            TopicPartition(self.batches.subscription.topic, row.partition): row.next_offset for row in rows
        }

    async def behind(self, target: Offsets) -> Offsets:
        """Return where the build is on the partitions on which it is not where it should be."""
        async with self.engine.connect() as connection:
            at = {p: await Progress(self.batches.consumer, p).read(connection) or 0 for p in target}
        return {place: offset for place, offset in at.items() if offset < target[place]}

    async def catch_up(self, target: Offsets) -> None:
        """Apply up to exactly these offsets. Raises Refused when records are missing, or BrokerAway."""
        dense = self.batches.subscription.order == "dense"
        for place, begin in (await self.behind(target)).items():
            end = target[place]
            async for records in self.log.read(place, begin=begin, end=end):
                for chunk in chunks(records):
                    try:
                        await self.batches.apply(place, chunk, accept_hole=not dense)
                    except OffsetGap as gap:
                        raise Refused(
                            f"{place.topic}[{place.partition}]: {gap}; the log has a hole."
                        ) from gap
                    self.steps.say(f"{place.topic}[{place.partition}]", done=len(chunk))
            async with self.engine.begin() as connection:
                # Where compaction took the last records, the position stands before the hole.
                await Progress(self.batches.consumer, place).advance(connection, to=end)

    async def compare(self) -> Comparison:
        """Compare with the live tables, at the offsets of this moment. Raises Refused, or BrokerAway."""
        async with self.engine.connect() as connection:
            await begin_snapshot(connection)
            target = await self.live_offsets(connection)
            live = await self._checksums(connection, self.schemas.live)
        await self.catch_up(target)
        async with self.engine.connect() as connection:
            await self._require_silence(connection)
            built = await self._checksums(connection, self.schemas.shadow)
        return Comparison(live, built)

    async def analyze(self) -> None:
        """Tell the planner of the new tables before anybody asks them something."""
        async with self.engine.begin() as connection:
            for table in self.projection.tables:
                await connection.execute(text(f"ANALYZE {self.schemas.shadow}.{table}"))

    async def drop(self) -> None:
        """Leave nothing behind."""
        async with self.engine.begin() as connection:
            await shadow.clear(connection, self.schemas)

    async def _checksums(self, connection: AsyncConnection, schema: str) -> dict[str, Checksum]:
        found = await checksum_tables(connection, schema, self.projection.tables)
        return {**found, "parked_keys": await checksum_parked(connection, schema, **self._names)}

    async def _require_silence(self, connection: AsyncConnection) -> None:
        # Dead letters of the build stay in its own outbox: the live consumer has told of them.
        told = await connection.execute(
            text(f"SELECT min(type) FROM {self.schemas.shadow}.outbox WHERE type <> :letter"),
            {"letter": dead_letter_record.WIRE_TYPE},
        )
        if (wire_type := told.scalar()) is not None:
            raise Refused(
                f"{self.batches.consumer} announces {wire_type} as it reads: it is more than a projection. "
                "Declare its subscription Entangled."
            )

    @property
    def _names(self) -> dict[str, str]:
        return {"consumer": self.batches.consumer, "topic": self.batches.subscription.topic}


def require_whole(subscription: Subscription, begins: Offsets) -> None:
    """Refuse a log whose first records were deleted, by where its partitions begin. Raises Refused."""
    if subscription.order == "dense" and any(begins.values()):
        raise Refused(
            f"{subscription.topic} no longer begins at offset 0 ({_told(begins)}): what was deleted cannot be told "
            "again. Topics of events are kept for ever (retention.ms=-1)."
        )


def require_projection(desk: Desk, consumer: str, topic: str | None) -> tuple[Subscription, Projection]:
    """Return a consumer's subscription and the projection it declares. Raises Refused when it is more than that."""
    subscription = desk.subscription(consumer, topic)
    keeps = subscription.keeps
    if isinstance(keeps, Entangled):
        raise Refused(f"{consumer} cannot have what it keeps of {subscription.topic} built anew. {keeps.why}")
    return subscription, keeps


@asynccontextmanager
async def begin_build(
    desk: Desk, log: Log, steps: Steps, *, consumer: str, topic: str | None
) -> AsyncIterator[Build]:
    """Have the shadow schema to oneself for as long as the block lasts. Raises Refused."""
    subscription, projection = require_projection(desk, consumer, topic)
    owner_url = desk.settings.migration_database_url
    if owner_url is None:
        raise Refused(
            f"{desk.service.upper()}_MIGRATION_DATABASE_URL is not set: a rebuild makes tables, which needs the "
            "schema's owner."
        )
    schemas = Schemas(desk.service)
    engine = build_engine(
        owner_url.get_secret_value(),
        schema=schemas.search_path,
        application_name=f"{desk.service}.rebuild",
        pool_size=4,
        # A checksum reads whole tables.
        limits={"statement_timeout": "0", "lock_timeout": "2s", "plan_cache_mode": "force_custom_plan"},
        command_timeout=3600,
    )
    batches = Batches(
        consumer,
        subscription,
        engine=engine,
        clock=desk.clock,
        source=desk.source,
        is_news=not desk.dry_run,
    )
    try:
        async with engine.connect() as ours:
            await ours.execution_options(isolation_level="AUTOCOMMIT")
            await shadow.require_schema(ours, schemas)
            if not (await ours.execute(_OURS_ALONE, {"name": f"{desk.service}.rebuild"})).scalar_one():
                raise Refused(f"Another rebuild of {desk.service} is running; one at a time.")
            yield Build(batches, projection, schemas, engine, log, steps)
    finally:
        await engine.dispose()


def _told(begins: Offsets) -> str:
    return ", ".join(f"partition {place.partition} at {at}" for place, at in begins.items() if at)
