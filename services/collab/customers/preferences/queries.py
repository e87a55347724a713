"""Reads of preferences: what holds, and everything that was told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.access import require_account
from services.collab.customers.preferences.preference import (
    Observation,
    PreferenceName,
    Preferences,
    resolve_preferences,
)
from services.collab.customers.source import Source
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class ObservationRow:
    """One thing somebody told, and who entered it when."""

    told: Observation
    recorded_at: datetime
    recorded_by: str


_SELECT = """
SELECT observation_id, name, value, source, confidence_percent, captured_at, recorded_at, recorded_by
FROM preference_observations WHERE account_id = :account
"""
_ALL = text(_SELECT)
_LIST = text(f"""{_SELECT}
    AND (CAST(:name AS text) IS NULL OR name = :name)
    AND (CAST(:after AS uuid) IS NULL OR observation_id > CAST(:after AS uuid))
ORDER BY observation_id LIMIT :limit
""")


async def find_preferences(read: AsyncConnection, account_id: UUID) -> Preferences:
    """Return what a customer prefers, whoever asks."""
    rows = await read.execute(_ALL, {"account": account_id})
    return resolve_preferences(_observation(row) for row in rows)


async def list_observations(
    read: AsyncConnection,
    account_id: UUID,
    *,
    name: PreferenceName | None,
    scope: Scope,
    after: UUID | None,
    limit: int,
) -> list[ObservationRow]:
    """Return everything that was told, in the order it was recorded. Raises NotFound."""
    await require_account(read, account_id, scope)
    rows = await read.execute(_LIST, {"account": account_id, "name": name, "after": after, "limit": limit})
    return [ObservationRow(_observation(row), row.recorded_at, row.recorded_by) for row in rows]


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        observation_id=row.observation_id,
        name=PreferenceName(row.name),
        value=row.value,
        source=Source(row.source),
        confidence_percent=row.confidence_percent,
        captured_at=row.captured_at,
    )
