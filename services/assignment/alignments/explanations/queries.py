"""Explains an alignment of the past or of now, or what a draft would make of an account, as far as the caller sees.

A plan never changes once it was live, and accounts are kept by period: so what was decided can be replayed.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.accounts.queries import find_account
from services.assignment.accounts.versions.queries import AccountVersion, find_version
from services.assignment.alignments.activations.activation import Activation
from services.assignment.alignments.activations.queries import find_activation, find_in_force
from services.assignment.alignments.explanations.explanation import Explanation, explain
from services.assignment.alignments.queries import AlignmentPeriod, list_periods
from services.assignment.pins.pin import Pin
from services.assignment.pins.queries import find_pin
from services.assignment.placements.placement import Placement
from services.assignment.placements.queries import find_placement
from services.assignment.plans.queries import PlanSummary, find_plan
from services.assignment.rules.condition import FIELDS
from services.assignment.rules.matcher import Match, held_in, placed_in
from services.assignment.rules.queries import load_rules
from services.assignment.territories.queries import list_below, load_tree
from services.assignment.territories.tree import Territory
from shared.db.scope import EVERYWHERE, Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class Ground:
    """What an alignment stands on: the plan, the account as it was matched, and all that could decide on it."""

    plan: PlanSummary
    version: AccountVersion
    explanation: Explanation
    pin: Pin | None
    placement: Placement | None
    path: tuple[Territory, ...]
    hidden: int
    rules_seen: bool


@dataclass(frozen=True, slots=True)
class AccountExplanation:
    """Why an account belongs where it does at an instant; without ground when nothing had been decided then."""

    account_id: UUID
    at: datetime
    period: AlignmentPeriod | None
    activation: Activation | None
    ground: Ground | None


async def explain_alignment(
    read: AsyncConnection, account_id: UUID, *, at: datetime, scope: Scope
) -> AccountExplanation:
    """Explain the alignment that was in force at an instant. Raises NotFound."""
    periods = await list_periods(read, account_id, at=at, scope=scope, rows=1)
    if not periods:
        return AccountExplanation(account_id, at, None, None, None)
    period = periods[0]
    activation = None
    if period.activation_id is not None:
        activation = await find_activation(read, period.activation_id)
    in_force = await find_in_force(read, at=at)
    if in_force is None:
        return AccountExplanation(account_id, at, period, activation, None)
    # A plan that decides what another had decided leaves the period as it is: the plan in force decided it last.
    # What dates back was matched when it was recorded, by what was known then.
    matched_at = max(period.valid_from, period.recorded_at, in_force.effective_at, in_force.recorded_at)
    known_at = max(at, period.recorded_at, in_force.recorded_at)
    # Pins count when an account is matched, and until it is matched again.
    pin = await _held(read, account_id, in_force.plan_id, matched_at)
    ground = await _ground(read, account_id, in_force.plan_id, known_at, scope, pin=pin)
    return AccountExplanation(account_id, at, period, activation, ground)


async def explain_plan(
    read: AsyncConnection, account_id: UUID, plan_id: UUID, *, at: datetime, scope: Scope
) -> AccountExplanation:
    """Explain what a plan makes of an account as it was at an instant. Raises NotFound."""
    await find_account(read, account_id, scope=scope)
    await find_plan(read, plan_id)
    # Where an alignment dates back, the account is what was known when that was recorded, as above.
    periods = await list_periods(read, account_id, at=at, scope=scope, rows=1)
    known_at = max([at, *(period.recorded_at for period in periods)])
    ground = await _ground(
        read, account_id, plan_id, known_at, scope, pin=await _held(read, account_id, plan_id, at)
    )
    return AccountExplanation(account_id, at, None, None, ground)


async def _held(read: AsyncConnection, account_id: UUID, plan_id: UUID, at: datetime) -> Pin | None:
    try:
        pin = await find_pin(read, plan_id, account_id, scope=EVERYWHERE)
    except NotFound:
        return None
    return pin if pin.holds(at) else None


async def _placed(read: AsyncConnection, account_id: UUID, plan_id: UUID) -> Placement | None:
    try:
        return await find_placement(read, plan_id, account_id, scope=EVERYWHERE)
    except NotFound:
        return None


def _settled(pin: Pin | None, placement: Placement | None) -> Match | None:
    if pin is not None:
        return held_in(pin.territory_id)
    return None if placement is None else placed_in(placement.territory_id)


async def _ground(
    read: AsyncConnection, account_id: UUID, plan_id: UUID, at: datetime, scope: Scope, *, pin: Pin | None
) -> Ground | None:
    version = await find_version(read, account_id, at=at)
    if version is None:
        return None
    values = [version.attributes.get(field) for field in FIELDS]
    # A plan that was live never changes: where it places the account, it placed it then.
    placement = await _placed(read, account_id, plan_id)
    explanation = explain(await load_rules(read, plan_id), values, _settled(pin, placement))
    tree = {node.territory_id: node for node in (await load_tree(read, plan_id)).territories}
    seen = frozenset(tree) if scope.everything else await list_below(read, plan_id, scope.roots)
    shown = _as_seen(explanation, seen)
    return Ground(
        plan=await find_plan(read, plan_id),
        version=version,
        explanation=shown,
        pin=pin if pin is not None and pin.territory_id in seen else None,
        placement=placement if placement is not None and placement.territory_id in seen else None,
        path=_path(tree, explanation.match.territory_id, seen),
        hidden=len(explanation.candidates) - len(shown.candidates),
        rules_seen=explanation.by_rules.territory_id in {None, *seen},
    )


def _as_seen(explanation: Explanation, seen: frozenset[UUID]) -> Explanation:
    """Leave out rules that send elsewhere: their conditions tell how others' territories are cut."""
    winner = explanation.winner
    return replace(
        explanation,
        winner=winner if winner is not None and winner.rule.territory_id in seen else None,
        candidates=tuple(one for one in explanation.candidates if one.trace.rule.territory_id in seen),
    )


def _path(
    tree: dict[UUID, Territory], territory_id: UUID | None, seen: frozenset[UUID]
) -> tuple[Territory, ...]:
    path: list[Territory] = []
    while territory_id in seen:
        path.append(tree[territory_id])
        territory_id = tree[territory_id].parent_id
    return tuple(reversed(path))
