"""Reading alignments: the history of one account, and all accounts as matching takes them."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import find_account
from services.assignment.alignments.realignment import Unit
from services.assignment.pins.queries import load_held
from services.assignment.placements.queries import has_placements
from services.assignment.rules.condition import FIELDS
from services.assignment.rules.matcher import ACCOUNT_ID, Matcher
from services.assignment.rules.queries import load_rules
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
# Decoding a chunk holds the event loop for some 30 ms; 100,000 rows at once would hold it for half a second.
CHUNK = 5_000
# Alignments and placements are bounded like the accounts: without that, every chunk reads them from the beginning.
_CHUNK = text(f"""
SELECT {", ".join(FIELDS)}, unit.account_id, placement.territory_id AS placed_in,
       alignment.territory_id, rule_id, reason, cause, valid_from
FROM account_units AS unit
LEFT JOIN (SELECT * FROM open_alignments WHERE account_id > :after) AS alignment
    ON alignment.account_id = unit.account_id
LEFT JOIN (
    SELECT account_id, territory_id FROM account_placements WHERE plan_id = :plan_id AND account_id > :after
) AS placement
    ON placement.account_id = unit.account_id
WHERE unit.account_id > :after ORDER BY unit.account_id LIMIT :rows
""")
_SOME = text(f"""
SELECT {", ".join(FIELDS)}, account_id, placement.territory_id AS placed_in,
       alignment.territory_id, rule_id, reason, cause, valid_from
FROM account_units
LEFT JOIN open_alignments AS alignment USING (account_id)
LEFT JOIN (SELECT account_id, territory_id FROM account_placements WHERE plan_id = :plan_id) AS placement
    USING (account_id)
WHERE account_id = ANY (CAST(:account_ids AS uuid[])) ORDER BY account_id
""")
_BEFORE_ALL = UUID(int=0)


async def load_matcher(read: AsyncConnection, plan_id: UUID, *, at: datetime) -> Matcher:
    """Return what decides by a plan at an instant: its rules, behind its placements, behind the pins that hold then.

    Placements come with the units that are read by the plan: there may be one of every account.
    """
    return Matcher(
        await load_rules(read, plan_id),
        await load_held(read, plan_id, at=at),
        places=await has_placements(read, plan_id),
    )


async def list_periods(
    read: AsyncConnection, account_id: UUID, *, at: datetime | None, scope: Scope, rows: int
) -> list[AlignmentPeriod]:
    """Return the latest periods in order, or the one that holds `at`. Raises NotFound."""
    await find_account(read, account_id, scope=scope)
    found = await read.execute(_HISTORY, {"account_id": account_id, "at": at, "rows": rows})
    return [AlignmentPeriod(**row) for row in found.mappings()][::-1]


async def read_units(
    read: AsyncConnection, plan_id: UUID, *, after: UUID | None = None, chunk: int = CHUNK
) -> AsyncIterator[list[Unit]]:
    """Walk all accounts by id as a plan is to match them, in chunks.

    One picture only within a snapshot or under the live plan's lock.
    """
    after = after or _BEFORE_ALL
    while True:
        rows: list[Unit] = [*await read.execute(_CHUNK, {"plan_id": plan_id, "after": after, "rows": chunk})]
        if rows:
            yield rows
        if len(rows) < chunk:
            return
        after = rows[-1][ACCOUNT_ID]


async def read_some_units(
    read: AsyncConnection, account_ids: Collection[UUID], plan_id: UUID | None
) -> list[Unit]:
    """Return the units of these accounts by id, as a plan is to match them, if one is."""
    return [*await read.execute(_SOME, {"plan_id": plan_id, "account_ids": list(account_ids)})]
