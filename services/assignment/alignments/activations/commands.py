"""Put a plan in force, or take it back: one transaction from the pointer to the last event.

The live pointer's row is locked before anything is decided, so two planners who press the button together
get one activation and one refusal, and an import of accounts comes wholly before or wholly after.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.alignments.activations.activation import (
    Activation,
    Kind,
    check_replaces,
    choose_instant,
    kind_of,
)
from services.assignment.alignments.activations.refusals import (
    NothingToRollBack,
    PlanIncomplete,
    PlanNotLive,
)
from services.assignment.alignments.applying import Application
from services.assignment.alignments.realigning import next_instant, realign_all
from services.assignment.alignments.realignment import Realignment
from services.assignment.plans.commands import put_plan_in_force, retire_plan
from services.assignment.plans.draft import lock_plan
from services.assignment.plans.live import lock_live_plan, point_at
from services.assignment.plans.plan import LivePlan, Plan
from services.assignment.plans.queries import find_plan
from services.assignment.territories.queries import load_tree
from services.assignment.territories.tree import Tree
from shared.contracts.assignment import PlanActivated, PlanRetired, TerritoryNode, TreePublished
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_RECORD = text("""
INSERT INTO activations (activation_id, sequence, plan_id, previous_plan_id, kind, effective_at, recorded_at,
                         recorded_by, accounts, moved, gaps, ties)
VALUES (:activation_id, :sequence, :plan_id, :previous_plan_id, :kind, :effective_at, :recorded_at,
        :recorded_by, :accounts, :moved, :gaps, :ties)
""")
_PREVIOUS = text("SELECT previous_plan_id FROM activations WHERE activation_id = :activation_id")


@dataclass(frozen=True, slots=True)
class ActivatePlan:
    """Make a plan the live one; `replacing_plan_id` names the plan its diff was read against."""

    plan_id: UUID
    expected_version: int
    effective_at: datetime | None = None
    replacing_plan_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class RollBackPlan:
    """Take the live plan back: the one before it becomes the live one again."""

    plan_id: UUID


async def activate_plan(command: ActivatePlan, uow: UnitOfWork) -> Activation:
    """Put a plan in force, with every move announced in the same transaction.

    Raises PlanAlreadyActive, VersionMismatch, PlanIncomplete, LivePlanChanged, EffectiveAtNotNow, NotFound.
    """
    live = await lock_live_plan(uow)
    plan = await lock_plan(uow, command.plan_id)
    plan.check_activatable(command.expected_version)
    check_replaces(command.replacing_plan_id, live)
    at = choose_instant(command.effective_at, live=live, next_instant=await next_instant(uow))
    return await _take_over(uow, plan, live, at)


async def roll_back_plan(command: RollBackPlan, uow: UnitOfWork) -> Activation:
    """Put the plan before the live one in force again. Raises PlanNotLive, NothingToRollBack, NotFound."""
    live = await lock_live_plan(uow)
    await lock_plan(uow, command.plan_id)
    if live.plan_id != command.plan_id:
        raise PlanNotLive("plan_id: the plan is not in force, so there is nothing to take back.")
    previous_id = await _before(uow, live)
    if previous_id is None:
        raise NothingToRollBack("plan_id: no plan was in force before this one.")
    return await _take_over(uow, await lock_plan(uow, previous_id), live, await next_instant(uow))


async def _before(uow: UnitOfWork, live: LivePlan) -> UUID | None:
    found = await uow.connection.execute(_PREVIOUS, {"activation_id": live.activation_id})
    previous_id: UUID | None = found.scalar_one_or_none()
    return previous_id


async def _take_over(uow: UnitOfWork, plan: Plan, live: LivePlan, at: datetime) -> Activation:
    tree = await _pass_gate(uow, plan.plan_id)
    activation_id = new_id()
    # First the plans, then the accounts: an event about an activation finds its plan's tree announced.
    if live.plan_id is not None:
        await retire_plan(uow, live.plan_id, at=at)
    await put_plan_in_force(uow, plan.plan_id, effective_at=at, tree_id=tree.tree_id)
    if plan.tree_id is None:
        uow.outbox.add(_published(plan.plan_id, tree))
    realigned = await realign_all(uow, Application(plan.plan_id, at, activation_id))
    kind = kind_of(plan.plan_id, before_live=await _before(uow, live))
    activation = _describe(uow, plan, live, at, kind=kind, activation_id=activation_id, realigned=realigned)
    await _record(uow, activation)
    await point_at(uow, LivePlan(plan.plan_id, activation_id, activation.sequence))
    _announce(uow, activation, tree)
    return activation


async def _pass_gate(uow: UnitOfWork, plan_id: UUID) -> Tree:
    tree = await load_tree(uow.connection, plan_id)
    if not tree.territories:
        raise PlanIncomplete("territories: the plan has none; every account would be in a gap.")
    if (await find_plan(uow.connection, plan_id)).rules == 0:
        raise PlanIncomplete("rules: the plan has none; every account would be in a gap.")
    return tree


def _describe(
    uow: UnitOfWork,
    plan: Plan,
    live: LivePlan,
    at: datetime,
    *,
    kind: Kind,
    activation_id: UUID,
    realigned: Realignment,
) -> Activation:
    return Activation(
        activation_id=activation_id,
        sequence=live.sequence + 1,
        plan_id=plan.plan_id,
        previous_plan_id=live.plan_id,
        kind=kind,
        effective_at=at,
        recorded_at=uow.now,
        recorded_by=uow.actor,
        accounts=realigned.accounts,
        moved=realigned.moved,
        gaps=realigned.gaps,
        ties=realigned.ties,
    )


async def _record(uow: UnitOfWork, activation: Activation) -> None:
    names = Activation.__dataclass_fields__
    await uow.connection.execute(_RECORD, {name: getattr(activation, name) for name in names})


def _announce(uow: UnitOfWork, activation: Activation, tree: Tree) -> None:
    if activation.previous_plan_id is not None:
        uow.outbox.add(
            PlanRetired(
                plan_id=activation.previous_plan_id,
                activation_id=activation.activation_id,
                retired_at=activation.effective_at,
            )
        )
    uow.outbox.add(
        PlanActivated(
            plan_id=activation.plan_id,
            tree_id=tree.tree_id,
            activation_id=activation.activation_id,
            kind=activation.kind,
            effective_at=activation.effective_at,
            previous_plan_id=activation.previous_plan_id,
            sequence=activation.sequence,
            moved_accounts=activation.moved,
        )
    )


def _published(plan_id: UUID, tree: Tree) -> TreePublished:
    return TreePublished(
        plan_id=plan_id,
        tree_id=tree.tree_id,
        territories=tuple(
            TerritoryNode(territory_id=node.territory_id, parent_id=node.parent_id, kind=node.kind.value)
            for node in tree.territories
        ),
    )
