"""The roll-ups as a plain function of the set of inputs: no SQL, no deltas, no order.

What the service must come to, told a second time and differently: tests compare the two.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.metrics.facts.fact_row import FactRow
from shared.contracts.assignment import AccountAligned, PlanActivated, TreePublished
from shared.contracts.identity import ORGANISATION, UNASSIGNED

Cells = dict[tuple[int, UUID, date, str], dict[str, int]]


@dataclass(frozen=True)
class Inputs:
    """Everything that was ever told, as sets; alignments by (account, version)."""

    facts: Iterable[FactRow]
    alignments: dict[tuple[UUID, int], AccountAligned]
    activations: Iterable[PlanActivated]
    trees: Iterable[TreePublished]


def recompute(inputs: Inputs) -> Cells:
    """Return every cell that is not zero."""
    newest: dict[UUID, FactRow] = {}
    for fact in inputs.facts:
        if fact.entity_key not in newest or newest[fact.entity_key].revision < fact.revision:
            newest[fact.entity_key] = fact
    parents = {t.tree_id: {n.territory_id: n.parent_id for n in t.territories} for t in inputs.trees}
    activations = list(inputs.activations)
    live = max(activations, key=lambda a: a.sequence).tree_id if activations else None
    journeys = trace([fact for fact in newest.values() if not fact.voided])
    cells: dict[tuple[int, UUID, date, str], Counter[str]] = {}
    for fact in newest.values():
        if fact.voided:
            continue
        held_then = _holder(inputs, fact.account_id, fact.occurred_at)
        held_now = _holder(inputs, fact.account_id, None)
        for view, territory, tree in (
            (1, held_then, _tree_at(activations, fact.occurred_at)),
            (2, held_now, live),
        ):
            for above in [*_line(territory, parents.get(tree, {})), ORGANISATION]:
                cell = cells.setdefault((view, above, fact.occurred_at.date(), fact.currency), Counter())
                cell.update(_counted(fact) | journeys.get(fact.entity_key, {}))
    found = {key: {name: n for name, n in cell.items() if n} for key, cell in cells.items()}
    return {key: cell for key, cell in found.items() if cell}


def trace(facts: Iterable[FactRow]) -> dict[UUID, dict[str, int]]:
    """Return what the facts count for as firsts and as converted leads: pair by pair, account by account."""
    accounts: dict[UUID | None, list[FactRow]] = {}
    for fact in sorted(facts, key=lambda f: (f.occurred_at, f.entity_key.int)):
        accounts.setdefault(fact.account_id, []).append(fact)
    found: dict[UUID, dict[str, int]] = {}
    for told in accounts.values():
        leads = [fact for fact in told if fact.kind == "lead"]
        sales = [fact for fact in told if fact.kind in {"order", "deal"} and fact.amount_minor > 0]
        for first in [sale for sale in sales if sale.kind == "order"][:1]:
            paid = any(lead.paid for lead in _before(first, leads)[-1:])
            found[first.entity_key] = {"new_customers": 1, **({"paid_new_customers": 1} if paid else {})}
        for sale in sales:
            if sale.origin_external_id is None:
                origins = _before(sale, leads)[-1:]
            else:
                named = (sale.source, sale.origin_external_id)
                origins = [lead for lead in _before(sale, leads) if (lead.source, lead.external_id) == named]
            for lead in origins:
                took = sale.occurred_at - lead.occurred_at
                converted = {f"converted_{w}": 1 for w in (7, 30, 90) if took < timedelta(days=w)}
                found[lead.entity_key] = found.get(lead.entity_key, {}) | converted
    return found


def _before(sale: FactRow, leads: list[FactRow]) -> list[FactRow]:
    return [lead for lead in leads if lead.occurred_at <= sale.occurred_at]


def _holder(inputs: Inputs, account: UUID | None, moment: datetime | None) -> UUID:
    known = {
        version: event.to_territory_id
        for (owner, version), event in inputs.alignments.items()
        if owner == account and (moment is None or event.valid_from <= moment)
    }
    return (known[max(known)] if known else None) or UNASSIGNED


def _tree_at(activations: list[PlanActivated], moment: datetime) -> UUID | None:
    known = {a.sequence: a.tree_id for a in activations if a.effective_at <= moment}
    return known[max(known)] if known else None


def _line(territory: UUID, parents: dict[UUID, UUID | None]) -> list[UUID]:
    line = [territory]
    while (parent := parents.get(line[-1])) is not None:
        line.append(parent)
    return line


def _counted(fact: FactRow) -> dict[str, int]:
    counted = {"facts": 1}
    match fact.kind, fact.stage:
        case "deal", _:
            counted |= {"deals": 1, "dealt_minor": fact.amount_minor}
        case "refund", _:
            counted |= {"refunds": 1, "refunded_minor": fact.amount_minor}
        case "order", _:
            counted |= {"orders": 1, "revenue_minor": fact.amount_minor}
        case "spend", _:
            counted |= {"spend_minor": fact.amount_minor}
            counted |= {"paid_spend_minor": fact.amount_minor} if fact.paid else {}
        case "lead", _:
            counted |= {"leads": 1}
        case _, "won":
            counted |= {"opportunities": 1, "won": 1, "won_minor": fact.amount_minor}
        case _, "lost":
            counted |= {"opportunities": 1, "lost": 1, "lost_minor": fact.amount_minor}
        case _:
            counted |= {"opportunities": 1, "open_minor": fact.amount_minor}
    return counted
