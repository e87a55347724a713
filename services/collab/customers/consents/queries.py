"""Reads of consents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.access import require_account
from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.consent import ConsentLevel, ConsentState, Statement, Target
from services.collab.customers.source import Source
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class ConsentRow:
    """A statement, who entered it when, and when another took it back before it began."""

    statement: Statement
    recorded_at: datetime
    recorded_by: str
    withdrawn_at: datetime | None = None


_SELECT = """
SELECT consent_id, level, channel, contact_point, purpose, state, source, lower(valid) AS effective_from,
    upper(valid) AS effective_to, resumes, recorded_at, recorded_by, withdrawn_at
FROM consents WHERE account_id = :account
"""
_HOLDS = "withdrawn_at IS NULL AND valid @> CAST(:at AS timestamptz)"
_AT = text(f"{_SELECT} AND {_HOLDS} ORDER BY consent_id")
_FROM = text(f"""{_SELECT}
    AND target = :target AND source = :source AND valid && tstzrange(:since, NULL) AND withdrawn_at IS NULL
ORDER BY lower(valid)
""")
_LIST = text(f"""{_SELECT}
    AND (CAST(:at AS timestamptz) IS NULL OR {_HOLDS})
    AND (CAST(:after AS uuid) IS NULL OR consent_id > CAST(:after AS uuid))
ORDER BY consent_id LIMIT :limit
""")


async def find_statements(read: AsyncConnection, account_id: UUID, *, at: datetime) -> list[Statement]:
    """Return what is in force at an instant, whoever asks."""
    return [_statement(row) for row in await read.execute(_AT, {"account": account_id, "at": at})]


async def find_words_from(
    read: AsyncConnection, account_id: UUID, *, target: Target, source: Source, since: datetime
) -> list[Statement]:
    """Return what a source said of exactly this, as far as it holds at an instant or later."""
    binds = {"account": account_id, "target": key_of(target), "source": source, "since": since}
    return [_statement(row) for row in await read.execute(_FROM, binds)]


def key_of(target: Target) -> str:
    """Return the target as one text: a range without overlaps needs keys that are never null."""
    return f"{target.level}:{target.channel or target.contact_point or target.purpose or ''}"


async def list_consents(
    read: AsyncConnection,
    account_id: UUID,
    *,
    at: datetime | None,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[ConsentRow]:
    """Return statements in the order they were recorded: all, or those in force. Raises NotFound."""
    await require_account(read, account_id, scope)
    rows = await read.execute(_LIST, {"account": account_id, "at": at, "after": after, "limit": limit})
    return [ConsentRow(_statement(row), row.recorded_at, row.recorded_by, row.withdrawn_at) for row in rows]


def _statement(row: Row[Any]) -> Statement:
    return Statement(
        consent_id=row.consent_id,
        target=Target(
            level=ConsentLevel(row.level),
            channel=None if row.channel is None else Channel(row.channel),
            contact_point=row.contact_point,
            purpose=None if row.purpose is None else Purpose(row.purpose),
        ),
        state=ConsentState(row.state),
        source=Source(row.source),
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        resumes=row.resumes,
    )
