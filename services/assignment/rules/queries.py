"""Reading the rules of a plan: all of them for matching, page by page for callers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.rules.condition_reader import read_stored
from services.assignment.rules.rule import Rule
from services.assignment.territories.queries import PLAN_CLOSURE
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_SELECT = "SELECT rule_id, name, territory_id, position, condition FROM rules WHERE plan_id = :plan_id"
_LOAD = text(f"{_SELECT} ORDER BY position, rule_id")
_READS = text("""
SELECT EXISTS (
    SELECT FROM rules WHERE plan_id = :plan_id
        AND jsonb_path_exists(condition, '$.** ? (@.field == $field)', jsonb_build_object('field', CAST(:field AS text)))
)
""")
_FIND = text(f"{_SELECT} AND rule_id = :rule_id AND {Scope.covers('territory_id', closure=PLAN_CLOSURE)}")
_LIST = text(f"""{_SELECT}
  AND {Scope.covers("territory_id", closure=PLAN_CLOSURE)}
  AND (CAST(:territory_id AS uuid) IS NULL OR territory_id = :territory_id)
  AND (CAST(:after AS uuid) IS NULL OR rule_id > :after)
ORDER BY rule_id LIMIT :rows
""")


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as it is stored and shown."""

    rule_id: UUID
    name: str
    territory_id: UUID
    position: int
    condition: dict[str, Any]


async def load_rules(read: AsyncConnection, plan_id: UUID) -> list[Rule]:
    """Return all rules of a plan, ready for matching."""
    return [
        Rule(row.rule_id, row.name, row.territory_id, row.position, read_stored(row.condition))
        for row in await read.execute(_LOAD, {"plan_id": plan_id})
    ]


async def reads_field(read: AsyncConnection, plan_id: UUID, field: str) -> bool:
    """Tell whether a rule of the plan looks at this field of accounts."""
    found: bool = (await read.execute(_READS, {"plan_id": plan_id, "field": field})).scalar_one()
    return found


async def find_rule(read: AsyncConnection, plan_id: UUID, rule_id: UUID, *, scope: Scope) -> WrittenRule:
    """Return one rule. Raises NotFound."""
    found = await read.execute(_FIND, {"plan_id": plan_id, "rule_id": rule_id, **scope.parameters()})
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("rule_id: the plan has no such rule.")
    return WrittenRule(**row)


async def list_rules(
    read: AsyncConnection, plan_id: UUID, *, territory_id: UUID | None, scope: Scope, page: PageRequest
) -> list[WrittenRule]:
    """Return rules by id, one more than the page holds."""
    rows = await read.execute(
        _LIST,
        {
            "plan_id": plan_id,
            "territory_id": territory_id,
            "after": page.after,
            "rows": page.limit + 1,
            **scope.parameters(),
        },
    )
    return [WrittenRule(**row) for row in rows.mappings()]
