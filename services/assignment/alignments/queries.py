"""Reading an account's alignment history: every period, the open one last."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import find_account
from shared.db.scope import Scope


@dataclass(frozen=True, slots=True)
class AlignmentPeriod:
    """Where an account belonged in a period, and why; `valid_to` is None while it lasts."""

    territory_id: UUID | None
    plan_id: UUID
    rule_id: UUID | None
    cause: str
    reason: str | None
    activation_id: UUID | None
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime


_HISTORY = text("""
SELECT territory_id, plan_id, rule_id, cause, reason, activation_id, lower(valid) AS valid_from,
       upper(valid) AS valid_to, recorded_at
FROM alignments WHERE account_id = :account_id
  AND (CAST(:at AS timestamptz) IS NULL OR valid @> CAST(:at AS timestamptz))
ORDER BY lower(valid) DESC LIMIT :rows
""")


async def list_periods(
    read: AsyncConnection, account_id: UUID, *, at: datetime | None, scope: Scope, rows: int
) -> list[AlignmentPeriod]:
    """Return the latest periods in order, or the one that holds `at`. Raises NotFound."""
    await find_account(read, account_id, scope=scope)
    found = await read.execute(_HISTORY, {"account_id": account_id, "at": at, "rows": rows})
    return [AlignmentPeriod(**row) for row in found.mappings()][::-1]
