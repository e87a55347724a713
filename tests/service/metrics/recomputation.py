"""The figures as plain functions of the set of inputs: no SQL, no deltas, no order.

What the service must come to, told a second time and differently: tests compare the two. Only the contracts are
shared, with the ids and keys that they compute; minor units, digests and attribution are worked out anew.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

from shared.contracts.assignment import (
    AccountAligned,
    CoverageStarted,
    PlanActivated,
    PlanPreviewed,
    TreePublished,
)
from shared.contracts.identity import ORGANISATION, UNASSIGNED
from shared.contracts.sales import Fact

K = TypeVar("K")
Cells = dict[tuple[int, UUID, date, str], dict[str, int]]
"""Figures by view, territory, day and currency."""
Rows = dict[tuple[UUID | None, date, str], dict[str, int]]
"""Figures by territory or rep, day and currency."""

DECIMALS = {"USD": 2, "JPY": 0, "BHD": 3}
AS_WAS, AS_IS = 1, 2


@dataclass(frozen=True)
class Inputs:
    """Everything that was ever told, as sets; alignments by (account, version), coverages with their last end."""

    facts: Iterable[Fact]
    alignments: dict[tuple[UUID, int], AccountAligned]
    activations: Iterable[PlanActivated]
    trees: Iterable[TreePublished]
    coverages: Iterable[tuple[CoverageStarted, datetime | None]] = ()


@dataclass(frozen=True)
class Told:
    """A fact that counts, and what it counts for."""

    fact: Fact
    minor: int
    currency: str

    @property
    def day(self) -> date:
        """Return its UTC day."""
        return self.fact.occurred_at.astimezone(UTC).date()


def recompute(inputs: Inputs) -> Cells:
    """Return every cell of both views that is not zero."""
    cells: dict[tuple[int, UUID, date, str], Counter[str]] = {}
    for told, figures in _counted(inputs):
        for view in (AS_WAS, AS_IS):
            for territory in _line(_holder(inputs, told, view), _tree(inputs, told, view)):
                cells.setdefault((view, territory, told.day, told.currency), Counter()).update(figures)
    return _without_zeros(cells)


def recompute_by_rep(inputs: Inputs, view: int) -> Rows:
    """Return the figures of reps: each fact is whose territory it is credited to, at the end of its day."""
    rows: dict[tuple[UUID | None, date, str], Counter[str]] = {}
    for told, figures in _counted(inputs):
        rep = _rep(inputs, _holder(inputs, told, view), told.day)
        rows.setdefault((rep, told.day, told.currency), Counter()).update(figures)
    return _without_zeros(rows)


def recompute_planned(inputs: Inputs, preview: Iterable[PlanPreviewed], *, by_rep: bool) -> Rows:
    """Return the figures as a plan would have them: of its territories and those above, or of reps."""
    parts = list(preview)
    moves = {move.account_id: move.to_territory_id for part in parts for move in part.moves}
    parents = {node.territory_id: node.parent_id for part in parts for node in part.territories}
    rows: dict[tuple[UUID | None, date, str], Counter[str]] = {}
    for told, figures in _counted(inputs):
        account = told.fact.account
        moved = moves[account] or UNASSIGNED if account in moves else None
        own = moved or _holder(inputs, told, AS_IS)
        keys: Iterable[UUID | None] = [_rep(inputs, own, told.day)] if by_rep else _line(own, parents)[:-1]
        for key in keys:
            rows.setdefault((key, told.day, told.currency), Counter()).update(figures)
    return _without_zeros(rows)


def counting(facts: Iterable[Fact]) -> list[Fact]:
    """Return what counts of each entity: the highest revision; of two tellings of it that of the smaller digest."""
    newest: dict[UUID, Fact] = {}
    for fact in facts:
        held = newest.setdefault(fact.entity_key, fact)
        if (fact.revision, -_digest(fact)) > (held.revision, -_digest(held)):
            newest[fact.entity_key] = fact
    return list(newest.values())


def _digest(fact: Fact) -> int:
    told, moment = _read(fact), fact.occurred_at.astimezone(UTC).isoformat()
    said: list[object] = [fact.kind, fact.stage, fact.account, moment, told.minor, told.currency, fact.voided]
    extras = (fact.channel, fact.paid, fact.lead_external_id or fact.order_external_id)
    if extras != (None, None, None):
        said.append(extras)
    return int.from_bytes(blake2b("|".join(map(str, said)).encode(), digest_size=16).digest())


def _read(fact: Fact) -> Told:
    if fact.amount is None or fact.currency is None:
        return Told(fact, 0, "XXX")
    return Told(fact, int(fact.amount * Decimal(10) ** DECIMALS[fact.currency]), fact.currency)


def _counted(inputs: Inputs) -> Iterator[tuple[Told, dict[str, int]]]:
    told = [_read(fact) for fact in counting(inputs.facts) if not fact.voided]
    journeys = _trace(told)
    for one in told:
        yield one, _figures(one) | journeys.get(one.fact.entity_key, {})


def _trace(told: list[Told]) -> dict[UUID, dict[str, int]]:
    """Return what the facts count for as firsts and as converted leads: pair by pair, account by account."""
    accounts: dict[UUID | None, list[Told]] = {}
    for one in sorted(told, key=lambda one: (one.fact.occurred_at, one.fact.entity_key.int)):
        accounts.setdefault(one.fact.account, []).append(one)
    found: dict[UUID, dict[str, int]] = {}
    for of_account in accounts.values():
        leads = [one.fact for one in of_account if one.fact.kind == "lead"]
        sales = [one.fact for one in of_account if one.fact.kind in {"order", "deal"} and one.minor > 0]
        for first in [sale for sale in sales if sale.kind == "order"][:1]:
            paid = any(lead.paid for lead in _before(first, leads)[-1:])
            found[first.entity_key] = {"new_customers": 1, **({"paid_new_customers": 1} if paid else {})}
        for sale in sales:
            if sale.lead_external_id is None:
                origins = _before(sale, leads)[-1:]
            else:
                named = (sale.source, sale.lead_external_id)
                origins = [lead for lead in _before(sale, leads) if (lead.source, lead.external_id) == named]
            for lead in origins:
                took = sale.occurred_at - lead.occurred_at
                converted = {f"converted_{w}": 1 for w in (7, 30, 90) if took < timedelta(days=w)}
                found[lead.entity_key] = found.get(lead.entity_key, {}) | converted
    return found


def _before(sale: Fact, leads: list[Fact]) -> list[Fact]:
    return [lead for lead in leads if lead.occurred_at <= sale.occurred_at]


def _holder(inputs: Inputs, told: Told, view: int) -> UUID:
    known = {
        version: event.to_territory_id
        for (owner, version), event in inputs.alignments.items()
        if owner == told.fact.account and (view == AS_IS or event.valid_from <= told.fact.occurred_at)
    }
    return (known[max(known)] if known else None) or UNASSIGNED


def _tree(inputs: Inputs, told: Told, view: int) -> dict[UUID, UUID | None]:
    known = {
        one.sequence: one.tree_id
        for one in inputs.activations
        if view == AS_IS or one.effective_at <= told.fact.occurred_at
    }
    in_force = known[max(known)] if known else None
    parents = {t.tree_id: {n.territory_id: n.parent_id for n in t.territories} for t in inputs.trees}
    return {} if in_force is None else parents.get(in_force, {})


def _line(territory: UUID, parents: dict[UUID, UUID | None]) -> list[UUID]:
    line = [territory]
    while (parent := parents.get(line[-1])) is not None:
        line.append(parent)
    return [*line, ORGANISATION]


def _rep(inputs: Inputs, territory: UUID, day: date) -> UUID | None:
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    covering = [
        started
        for started, ended in inputs.coverages
        if started.territory_id == territory and started.role == "primary"
        if started.valid_from < end and (ended is None or ended >= end)
    ]
    # The later one counts where two overlap.
    covering.sort(key=lambda one: (one.valid_from, -one.coverage_id.int))
    return covering[-1].rep_id if covering else None


def _figures(told: Told) -> dict[str, int]:
    fact, minor = told.fact, told.minor
    counted = {"facts": 1}
    match fact.kind, fact.stage:
        case "deal", _:
            counted |= {"deals": 1, "dealt_minor": minor}
        case "refund", _:
            counted |= {"refunds": 1, "refunded_minor": minor}
        case "order", _:
            counted |= {"orders": 1, "revenue_minor": minor}
        case "spend", _:
            counted |= {"spend_minor": minor}
            counted |= {"paid_spend_minor": minor} if fact.paid else {}
        case "lead", _:
            counted |= {"leads": 1}
        case _, "won":
            counted |= {"opportunities": 1, "won": 1, "won_minor": minor}
        case _, "lost":
            counted |= {"opportunities": 1, "lost": 1, "lost_minor": minor}
        case _:
            counted |= {"opportunities": 1, "open_minor": minor}
    return counted


def _without_zeros(cells: dict[K, Counter[str]]) -> dict[K, dict[str, int]]:
    found = {key: {name: n for name, n in cell.items() if n} for key, cell in cells.items()}
    return {key: cell for key, cell in found.items() if cell}
