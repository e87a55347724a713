"""Reading the placements of a plan: whether it has any, and page by page for callers."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.placements.placement import Placement
from services.assignment.territories.queries import PLAN_CLOSURE, require_in_scope
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_ANY = text("SELECT EXISTS (SELECT FROM placements WHERE plan_id = :plan_id)")
# What a draft brings from elsewhere is the planner's to see: the account, too, has to lie in the scope.
_LIVE = (
    "(SELECT live.territory_id FROM open_alignments AS live WHERE live.account_id = placements.account_id)"
)
_SELECT = f"""
SELECT {", ".join(Placement.__dataclass_fields__)} FROM placements
WHERE plan_id = :plan_id AND {Scope.covers("territory_id", closure=PLAN_CLOSURE)} AND {Scope.covers(_LIVE)}
"""
_FIND = text(f"{_SELECT} AND account_id = :account_id")
_PAGE = """
  AND (CAST(:design_run_id AS uuid) IS NULL OR design_run_id = :design_run_id)
  AND (CAST(:after AS uuid) IS NULL OR account_id > :after)
ORDER BY account_id LIMIT :rows
"""
_LIST = text(f"{_SELECT} {_PAGE}")
# Apart from the general list, so that it may begin at the placements of the territory.
_LIST_TERRITORY = text(f"{_SELECT} AND territory_id = :territory_id {_PAGE}")


async def has_placements(read: AsyncConnection, plan_id: UUID) -> bool:
    """Tell whether a plan places any account."""
    found: bool = (await read.execute(_ANY, {"plan_id": plan_id})).scalar_one()
    return found


async def find_placement(
    read: AsyncConnection, plan_id: UUID, account_id: UUID, *, scope: Scope
) -> Placement:
    """Return the placement of one account. Raises NotFound."""
    found = await read.execute(_FIND, {"plan_id": plan_id, "account_id": account_id, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("account_id: the plan has no placement of this account.")
    return Placement(**row)


async def list_placements(
    read: AsyncConnection,
    plan_id: UUID,
    *,
    territory_id: UUID | None,
    design_run_id: UUID | None,
    scope: Scope,
    page: PageRequest,
) -> list[Placement]:
    """Return placements by account, one more than the page holds. Raises NotFound."""
    parameters = {
        "plan_id": plan_id,
        "design_run_id": design_run_id,
        "after": page.after,
        "rows": page.limit + 1,
        **scope.parameters(),
    }
    statement = _LIST
    if territory_id is not None:
        await require_in_scope(read, plan_id, {territory_id}, scope=scope)
        statement = _LIST_TERRITORY
        parameters["territory_id"] = territory_id
    rows = await read.execute(statement, parameters)
    return [Placement(**row) for row in rows.mappings()]
