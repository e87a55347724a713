"""Reading the pins of a plan: those that hold for matching, page by page for callers."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.pins.pin import Pin
from services.assignment.territories.queries import PLAN_CLOSURE
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_HELD = text("""
SELECT account_id, territory_id FROM pins
WHERE plan_id = :plan_id AND (expires_at IS NULL OR expires_at > CAST(:at AS timestamptz))
  AND (CAST(:among AS uuid[]) IS NULL OR account_id = ANY (CAST(:among AS uuid[])))
""")
_EXPIRED = text("""
SELECT account_id, count(*) OVER () AS pins FROM pins
WHERE plan_id = :plan_id AND expires_at <= :at ORDER BY account_id LIMIT :rows
""")
# What a draft brings from elsewhere is the planner's to see: the account, too, has to lie in the scope.
_LIVE = "(SELECT live.territory_id FROM open_alignments AS live WHERE live.account_id = pins.account_id)"
_SELECT = f"""
SELECT {", ".join(Pin.__dataclass_fields__)} FROM pins
WHERE plan_id = :plan_id AND {Scope.covers("territory_id", closure=PLAN_CLOSURE)} AND {Scope.covers(_LIVE)}
"""
_FIND = text(f"{_SELECT} AND account_id = :account_id")
_LIST = text(f"""{_SELECT}
  AND (CAST(:territory_id AS uuid) IS NULL OR territory_id = :territory_id)
  AND (CAST(:expires_before AS timestamptz) IS NULL OR expires_at < :expires_before)
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
""")


async def load_held(
    read: AsyncConnection, plan_id: UUID, *, at: datetime, among: Collection[UUID] | None = None
) -> dict[UUID, UUID]:
    """Return which accounts, all or some, a plan's pins hold at an instant, and in which territories."""
    wanted = None if among is None else list(among)
    rows = await read.execute(_HELD, {"plan_id": plan_id, "at": at, "among": wanted})
    return {row.account_id: row.territory_id for row in rows}


async def list_expired(
    read: AsyncConnection, plan_id: UUID, *, at: datetime, rows: int
) -> tuple[int, list[UUID]]:
    """Return how many pins of a plan no longer hold, and the first accounts of those, whoever asks."""
    found = (await read.execute(_EXPIRED, {"plan_id": plan_id, "at": at, "rows": rows})).all()
    return (found[0].pins if found else 0), [row.account_id for row in found]


async def find_pin(read: AsyncConnection, plan_id: UUID, account_id: UUID, *, scope: Scope) -> Pin:
    """Return the pin of one account. Raises NotFound."""
    found = await read.execute(_FIND, {"plan_id": plan_id, "account_id": account_id, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("account_id: the plan has no pin of this account.")
    return Pin(**row)


async def list_pins(
    read: AsyncConnection,
    plan_id: UUID,
    *,
    territory_id: UUID | None,
    expires_before: datetime | None,
    scope: Scope,
    page: PageRequest,
) -> list[Pin]:
    """Return pins by account, one more than the page holds."""
    rows = await read.execute(
        _LIST,
        {
            "plan_id": plan_id,
            "territory_id": territory_id,
            "expires_before": expires_before,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [Pin(**row) for row in rows.mappings()]
