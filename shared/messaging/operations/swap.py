"""Putting tables that were built anew in the place of the live ones, in one transaction.

Locks are taken in the order of readers (views before their tables) and waited for a fifth of a second only: less
than Postgres waits before it looks for deadlocks, so it is the swap that gives way and tries again, never a request.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.messaging.operations.refusals import Refused
from shared.messaging.operations.shadow import Schemas

PATIENCE_SECONDS = 300.0
_STEP_SECONDS = 0.1

_LIMITS = "SET LOCAL lock_timeout = '200ms'"
_VIEWS = text("""
SELECT DISTINCT format('%I.%I', n.nspname, v.relname) AS name,
       coalesce(' WITH (' || array_to_string(v.reloptions, ', ') || ')', '') AS options,
       pg_get_viewdef(v.oid) AS definition
FROM pg_depend AS d JOIN pg_rewrite AS r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_class AS v ON v.oid = r.ev_class JOIN pg_namespace AS n ON n.oid = v.relnamespace
WHERE d.refobjid = ANY (CAST(:tables AS regclass[])) AND v.relkind = 'v'
ORDER BY name
""")
_INDEXES = text("""
SELECT quote_ident(c.relname) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = to_regclass(:table)
""")
# What began before the tables were whole would find them empty: it looks with the eyes of then.
_UNDER_WAY = text("""
SELECT l.virtualxid FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'virtualxid' AND a.datname = current_database() AND l.pid <> pg_backend_pid()
""")


@dataclass(frozen=True, slots=True)
class Swap:
    """The tables of one projection, to be taken from the shadow schema."""

    schemas: Schemas
    consumer: str
    topic: str
    tables: Sequence[str]

    async def begin(self, connection: AsyncConnection) -> dict[int, int]:
        """Keep the live consumer where it is, and return where that is, by partition."""
        await connection.execute(text(_LIMITS))
        # The live names, whatever the builder's session looks at first.
        await connection.execute(text(f"SET LOCAL search_path = {self.schemas.live}, public"))
        # A partition never read live begins where its log does, as the live consumer would have it.
        await self._run(
            connection,
            "INSERT INTO {live}.consumer_offsets SELECT * FROM {shadow}.consumer_offsets "
            "ON CONFLICT DO NOTHING",
        )
        rows = await connection.execute(
            text(
                "SELECT partition, next_offset FROM consumer_offsets WHERE consumer = :consumer "
                "AND topic = :topic ORDER BY partition FOR UPDATE"
            ),
            self._names,
        )
        return {row.partition: row.next_offset for row in rows}

    async def take_over(self, connection: AsyncConnection) -> None:
        """Move versions, parked keys and tables."""
        await self._take_over_progress(connection)
        views = await self._lock(connection)
        for table in self.tables:
            await self._replace(connection, table)
        for view in views:
            await connection.exec_driver_sql(
                f"CREATE OR REPLACE VIEW {view.name}{view.options} AS {view.definition}"
            )
        for table in self.tables:
            await connection.exec_driver_sql(f"DROP TABLE {self.schemas.live}.replaced_{table}")

    async def _take_over_progress(self, connection: AsyncConnection) -> None:
        # At equal offsets they are equal, but for what the live one parked; a version that the log no longer tells stays.
        await self._run(
            connection,
            """
            INSERT INTO {live}.consumer_watermarks SELECT built.* FROM {shadow}.consumer_watermarks AS built
            WHERE NOT EXISTS (
                SELECT FROM {live}.consumer_watermarks AS live
                WHERE (live.consumer, live.topic, live.aggregateid, live.version)
                    = (built.consumer, built.topic, built.aggregateid, built.version)
            )
            ON CONFLICT (consumer, topic, aggregateid) DO UPDATE
            SET version = excluded.version, identified_version = excluded.identified_version,
                last_event_id = excluded.last_event_id, highest_event_id = excluded.highest_event_id
        """,
        )
        for table, same in (
            ("parked_keys", "built.aggregateid = live.aggregateid"),
            (
                "parked_records",
                "(built.partition, built.record_offset) = (live.partition, live.record_offset)",
            ),
        ):
            await self._run(
                connection,
                f"""
                DELETE FROM {{live}}.{table} AS live WHERE live.consumer = :consumer AND live.topic = :topic
                  AND NOT EXISTS (SELECT FROM {{shadow}}.{table} AS built WHERE {same})
            """,
                self._names,
            )
        await self._run(
            connection,
            "INSERT INTO {live}.parked_keys SELECT * FROM {shadow}.parked_keys "
            "ON CONFLICT (consumer, topic, aggregateid) DO UPDATE SET reason = excluded.reason",
        )
        await self._run(
            connection,
            "INSERT INTO {live}.parked_records SELECT * FROM {shadow}.parked_records ON CONFLICT DO NOTHING",
        )

    async def _lock(self, connection: AsyncConnection) -> Sequence[Row[Any]]:
        tables = [f"{self.schemas.live}.{table}" for table in self.tables]
        views = (await connection.execute(_VIEWS, {"tables": tables})).all()
        for name in (*(view.name for view in views), *tables):
            await connection.exec_driver_sql(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
        return views

    async def _replace(self, connection: AsyncConnection, table: str) -> None:
        live, shadow = self.schemas.live, self.schemas.shadow
        indexes = (await connection.execute(_INDEXES, {"table": f"{live}.{table}"})).scalars().all()
        # Names are unique in a schema: the old ones step aside before the new ones come in.
        for at, index in enumerate(indexes):
            await connection.exec_driver_sql(f"ALTER INDEX {live}.{index} RENAME TO replaced_{table}_{at}")
        await connection.exec_driver_sql(f"ALTER TABLE {live}.{table} RENAME TO replaced_{table}")
        await connection.exec_driver_sql(f"ALTER TABLE {shadow}.{table} SET SCHEMA {live}")

    async def _run(
        self, connection: AsyncConnection, statement: str, binds: dict[str, str] | None = None
    ) -> None:
        places = {"live": self.schemas.live, "shadow": self.schemas.shadow}
        await connection.execute(text(statement.format(**places)), binds or {})

    @property
    def _names(self) -> dict[str, str]:
        return {"consumer": self.consumer, "topic": self.topic}


async def outlast_transactions(engine: AsyncEngine) -> None:
    """Wait until every transaction that runs now is over. Raises Refused after five minutes."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        first = set((await connection.execute(_UNDER_WAY)).scalars())
        waited = 0.0
        while first & set((await connection.execute(_UNDER_WAY)).scalars()):
            if waited > PATIENCE_SECONDS:
                raise Refused(
                    "Transactions from before the build still run (pg_stat_activity tells which): end them, "
                    "then retry."
                )
            await asyncio.sleep(_STEP_SECONDS)
            waited += _STEP_SECONDS
