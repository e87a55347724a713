"""Who may see a handoff, and how those asked for are found, as SQL conditions over the handoffs table `h`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.handoff import UNDER_WAY, HandoffState
from services.collab.projections.alignments import territory_of
from services.collab.projections.territories import IN_SCOPE, are_few
from shared.db.scope import Scope

VISIBLE = f"({Scope.covers('h.from_territory_id')} OR {Scope.covers('h.to_territory_id')})"
"""Either side may look."""

LEADS_TO_ITS_ACCOUNT = f"""
(h.state IN ({", ".join(f"'{state}'" for state in sorted(UNDER_WAY))})
    AND h.to_territory_id = {territory_of("h.account_id")})
"""
"""It is under way, and its receiving side has the account: the two have something to talk about."""


@dataclass(frozen=True, slots=True)
class HandoffFilter:
    """Which handoffs are asked for; None does not narrow. A territory stands for its whole subtree."""

    territory_id: UUID | None = None
    state: HandoffState | None = None
    activation_id: UUID | None = None
    account_id: UUID | None = None


_SUBTREE = """
SELECT asked.territory_id FROM live_closure AS asked WHERE asked.ancestor_id = CAST(:territory AS uuid)
UNION SELECT CAST(:territory AS uuid)
"""
_CONDITIONS = {
    "territory": f"(h.from_territory_id IN ({_SUBTREE}) OR h.to_territory_id IN ({_SUBTREE}))",
    "state": "h.state = :state",
    "activation": "h.activation_id = :activation",
    "account": "h.account_id = :account",
    "after": "h.handoff_id > :after",
}

# "From one of these or to one of these" has no index, and the order by id would be walked from its start for
# rows that may never come. Either side of one territory has one, in order: each is asked for a page.
_FIRST_OF_SIDES = """
h.handoff_id IN (
    SELECT DISTINCT found.handoff_id FROM ({sides}) AS side CROSS JOIN LATERAL (
        (SELECT h.handoff_id FROM handoffs AS h WHERE h.from_territory_id = side.territory_id AND {where}
            ORDER BY h.handoff_id LIMIT :limit)
        UNION ALL
        (SELECT h.handoff_id FROM handoffs AS h WHERE h.to_territory_id = side.territory_id AND {where}
            ORDER BY h.handoff_id LIMIT :limit)
    ) AS found ORDER BY found.handoff_id LIMIT :limit
)
"""
# OFFSET 0 keeps the planner from turning this back into a walk over all handoffs.
_ALL_OF_SIDES = """
h.handoff_id IN (
    SELECT found.handoff_id FROM ({sides}) AS side CROSS JOIN LATERAL (
        SELECT h.handoff_id FROM handoffs AS h WHERE h.from_territory_id = side.territory_id AND {where}
        UNION ALL
        SELECT h.handoff_id FROM handoffs AS h WHERE h.to_territory_id = side.territory_id AND {where} OFFSET 0
    ) AS found
)
"""


async def first_visible(
    read: AsyncConnection, wanted: HandoffFilter, *, scope: Scope, after: UUID | None
) -> tuple[str, dict[str, Any]]:
    """Return the condition for a page of `:limit` handoffs after one of them, and its binds."""
    return await _condition(read, wanted, scope, after, _FIRST_OF_SIDES)


async def visible(
    read: AsyncConnection, wanted: HandoffFilter, *, scope: Scope
) -> tuple[str, dict[str, Any]]:
    """Return the condition for every handoff asked for, and its binds."""
    return await _condition(read, wanted, scope, None, _ALL_OF_SIDES)


async def _condition(
    read: AsyncConnection, wanted: HandoffFilter, scope: Scope, after: UUID | None, of_sides: str
) -> tuple[str, dict[str, Any]]:
    given = {
        "territory": wanted.territory_id,
        "state": wanted.state,
        "activation": wanted.activation_id,
        "account": wanted.account_id,
        "after": after,
    }
    asked = {name: value for name, value in given.items() if value is not None}
    where = " AND ".join([VISIBLE, *(_CONDITIONS[name] for name in asked)])
    binds = {**scope.parameters(), **asked}
    sides = _sides(asked, scope)
    if sides is None or not await are_few(read, sides, binds):
        return where, binds
    return of_sides.format(sides=sides, where=where), binds


def _sides(asked: Mapping[str, Any], scope: Scope) -> str | None:
    """Return SQL for the territories to start from; None where another index, or the order, is the better way."""
    if {"account", "activation"} & asked.keys():
        return None
    if "territory" in asked:
        return _SUBTREE
    return None if scope.everything else IN_SCOPE
