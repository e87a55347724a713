"""What the three alembic histories share: own schema, own version table, short lock waits, one backbone."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from alembic import command, context, op
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.db.engine import build_engine

ROOT = Path(__file__).parents[2]
BACKBONE = ("backbone", "outbox_dead", "watermark_ids")
"""The scripts in sql/ that make the backbone's tables, in the order of their coming."""
MIGRATION_LIMITS = {"statement_timeout": "0", "lock_timeout": "2s"}


class SchemaNotAtHead(RuntimeError):
    """The database is not at this release's schema; run `migrate` first."""


def alembic_config(*, service: str, url: str = "") -> Config:
    """Return the alembic configuration of one service."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "services" / service / "migrations"))
    config.set_main_option(
        "file_template", "%%(year)d%%(month).2d%%(day).2d_%%(hour).2d%%(minute).2d_%%(slug)s"
    )
    config.attributes["service"] = service
    config.attributes["url"] = url
    return config


def upgrade(*, service: str, url: str, revision: str = "head") -> None:
    """Bring one service's schema to a revision; safe to run by several at once."""
    command.upgrade(alembic_config(service=service, url=url), revision)


def run_migrations(metadata: MetaData | None = None) -> None:
    """Be the body of a service's env.py."""
    config = context.config
    asyncio.run(_run(config.attributes["service"], config.attributes["url"], metadata))


async def _run(service: str, url: str, metadata: MetaData | None) -> None:
    engine = build_engine(
        url, schema=service, application_name=f"{service}.migrate", pool_size=1, limits=MIGRATION_LIMITS
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate, service, metadata)
    finally:
        await engine.dispose()


def _migrate(connection: Connection, service: str, metadata: MetaData | None) -> None:
    # Two migrators at once: the second waits here and then finds nothing to do.
    connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock(hashtext('migrate.{service}'))")
    connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=service,
        include_schemas=False,
    )
    context.run_migrations()


def backbone_statements(service: str, parts: Sequence[str] = BACKBONE) -> list[str]:
    """Return the statements that create the backbone's tables, or parts of them, in a service's schema."""
    scripts = [files("shared.db").joinpath(f"sql/{part}.sql").read_text() for part in parts]
    return split_statements("\n".join(scripts).replace(":app", f"{service}_app"))


def create_backbone(part: str = "backbone") -> None:
    """Be the upgrade of a service's first migration, or of the one that adds a part that came later."""
    for statement in backbone_statements(context.config.attributes["service"], [part]):
        op.execute(statement)


def drop_backbone(part: str = "backbone") -> None:
    """Be its downgrade."""
    for statement in reversed(backbone_statements(context.config.attributes["service"], [part])):
        words = statement.split()
        if words[:2] == ["CREATE", "TABLE"]:
            op.execute(f"DROP TABLE {words[2]}")
        elif words[3:5] == ["ADD", "COLUMN"]:
            op.execute(f"ALTER TABLE {words[2]} DROP COLUMN {words[5]}")


def split_statements(script: str) -> list[str]:
    """Split a script at its semicolons, for a driver that takes one statement at a time.

    For plain DDL only: no semicolons inside literals or function bodies.
    """
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    return [statement.strip() for statement in "\n".join(lines).split(";") if statement.strip()]


async def require_head(engine: AsyncEngine, *, service: str) -> None:
    """Refuse to start on a schema that is not at this release's head. Raises SchemaNotAtHead."""
    head = ScriptDirectory.from_config(alembic_config(service=service)).get_current_head()

    def current(connection: Connection) -> Any:
        return MigrationContext.configure(
            connection, opts={"version_table_schema": service}
        ).get_current_revision()

    async with engine.connect() as connection:
        found = await connection.run_sync(current)
    if found != head:
        raise SchemaNotAtHead(
            f"schema {service} is at {found or 'nothing'}, this release needs {head}: run `migrate`"
        )
