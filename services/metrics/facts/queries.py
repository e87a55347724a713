"""Facts behind the figures: lists by account or territory, one fact with its credits and its history."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.credit import TERRITORY_AT, TERRITORY_NOW, TREE_AT, TREE_NOW
from services.metrics.attribution.queries import require_territory
from services.metrics.rollups.queries import find_unassigned_days
from services.metrics.rollups.view import RollupView, ViewName
from shared.contracts.identity import ORGANISATION, UNASSIGNED
from shared.db.scope import Scope
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

COLUMNS = (
    "entity_key, revision, source, kind, external_id, stage, account_id, occurred_at, day, amount_minor, "
    "currency, voided, recorded_at, channel, paid, origin_external_id"
)


class FactFound(NamedTuple):
    """One revision of a fact."""

    entity_key: UUID
    revision: int
    source: str
    kind: str
    external_id: str
    stage: str | None
    account_id: UUID | None
    occurred_at: datetime
    day: date
    amount_minor: int
    currency: str
    voided: bool
    recorded_at: datetime
    channel: str | None
    paid: bool | None
    origin_external_id: str | None


class Credit(NamedTuple):
    """Whom a fact counts for in a view, and by which tree it is spread."""

    view: str
    territory_id: UUID
    tree_id: UUID | None
    line: list[UUID]


@dataclass(frozen=True, slots=True)
class FactWithOrigin:
    """A fact, its credits, and the revisions it replaced.

    `history_left_out` counts the revisions of accounts that the caller may not see.
    """

    fact: FactFound
    credits: list[Credit]
    history: list[FactFound]
    history_left_out: int


@dataclass(frozen=True, slots=True)
class FactsAsked:
    """Which facts; a territory means what is credited to it or below it in the view."""

    account_id: UUID | None
    territory_id: UUID | None
    view: ViewName
    first_day: date | None
    end_day: date | None


def visible(fact: str) -> str:
    """Return SQL: whether the caller may see a revision. Whose account it is now decides, not whose it was."""
    return f"""(CAST(:scope_everything AS boolean) OR {fact}.account_id IN (
        SELECT a.account_id FROM accounts a WHERE {Scope.covers("a.territory_id")}
    ))"""


_HELD_NOW = """f.account_id IN (
    SELECT a.account_id FROM accounts a WHERE a.territory_id = :territory_id OR a.territory_id IN (
        SELECT c.territory_id FROM live_closure c WHERE c.ancestor_id = :territory_id
    )
)"""
# The first condition is not needed for the answer: it lets the index find the few accounts in question.
_HELD_THEN = f"""f.account_id IN (
    SELECT e.account_id FROM alignment_events e WHERE e.territory_id = :territory_id OR e.territory_id IN (
        SELECT c.territory_id FROM tree_closure c WHERE c.ancestor_id = :territory_id
    )
) AND ({TERRITORY_AT.format(fact="f")} = :territory_id OR EXISTS (
    SELECT 1 FROM tree_closure c WHERE c.tree_id = {TREE_AT.format(fact="f")}
        AND c.territory_id = {TERRITORY_AT.format(fact="f")} AND c.ancestor_id = :territory_id
))"""
# What nobody holds has no index to be found by; the roll-ups tell on which days there is any.
_HELD_BY_NOBODY = {
    "as_is": f"""f.day = ANY(CAST(:days AS date[])) AND (f.account_id IS NULL OR f.account_id NOT IN (
        SELECT a.account_id FROM accounts a WHERE a.territory_id <> '{UNASSIGNED}'
    ))""",
    "as_was": f"f.day = ANY(CAST(:days AS date[])) AND {TERRITORY_AT.format(fact='f')} = '{UNASSIGNED}'",
}


async def find_facts(
    read: AsyncConnection, asked: FactsAsked, page: PageRequest, *, scope: Scope
) -> list[FactFound]:
    """Return a page of facts by key, and one more if there is one. Raises NotFound for a hidden territory."""
    conditions = [visible("f"), "NOT f.voided"]
    names: dict[str, Any] = {**scope.parameters(), "limit": page.limit + 1}
    if asked.territory_id is not None:
        await require_territory(read, asked.territory_id, scope)
    if asked.territory_id == UNASSIGNED:
        conditions.append(_HELD_BY_NOBODY[asked.view])
        names["days"] = await find_unassigned_days(read, RollupView.named(asked.view))
    elif asked.territory_id is not None and asked.territory_id != ORGANISATION:
        conditions.append(_HELD_NOW if asked.view == "as_is" else _HELD_THEN)
        names["territory_id"] = asked.territory_id
    for condition, name, value in (
        ("f.account_id = :account_id", "account_id", asked.account_id),
        ("f.day >= :first_day", "first_day", asked.first_day),
        ("f.day < :end_day", "end_day", asked.end_day),
        ("f.entity_key > :after", "after", page.after),
    ):
        if value is not None:
            conditions.append(condition)
            names[name] = value
    statement = text(
        f"SELECT {COLUMNS} FROM facts f WHERE {' AND '.join(conditions)} ORDER BY f.entity_key LIMIT :limit"
    )
    return [FactFound(*row) for row in await read.execute(statement, names)]


_ONE = text(f"SELECT {COLUMNS} FROM facts f WHERE f.entity_key = :entity_key AND {visible('f')}")
_HISTORY = text(f"""
SELECT {visible("h")} IS TRUE, {COLUMNS} FROM fact_history h WHERE h.entity_key = :entity_key ORDER BY h.revision
""")
_CREDITS = text(f"""
SELECT c.view, c.territory_id, c.tree_id, coalesce(l.line, ARRAY[c.territory_id])
FROM facts f
CROSS JOIN LATERAL (VALUES
    ({RollupView.AS_WAS:d}, {TERRITORY_AT.format(fact="f")}, {TREE_AT.format(fact="f")}),
    ({RollupView.AS_IS:d}, {TERRITORY_NOW.format(fact="f")}, {TREE_NOW})
) AS c (view, territory_id, tree_id)
LEFT JOIN tree_lines l ON l.tree_id = c.tree_id AND l.territory_id = c.territory_id
WHERE f.entity_key = :entity_key ORDER BY c.view
""")


async def find_fact(read: AsyncConnection, entity_key: UUID, *, scope: Scope) -> FactWithOrigin:
    """Return a fact with whom it counts for and what it replaced. Raises NotFound."""
    names = {"entity_key": entity_key, **scope.parameters()}
    row = (await read.execute(_ONE, names)).one_or_none()
    if row is None:
        raise NotFound("entity_key: no such fact.")
    credited = await read.execute(_CREDITS, {"entity_key": entity_key})
    history = (await read.execute(_HISTORY, names)).all()
    seen = [FactFound(*told) for may_see, *told in history if may_see]
    return FactWithOrigin(
        fact=FactFound(*row),
        credits=[Credit(RollupView(view).label, *rest) for view, *rest in credited],
        history=seen,
        history_left_out=len(history) - len(seen),
    )
