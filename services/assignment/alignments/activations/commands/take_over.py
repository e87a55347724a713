"""Have a plan take over from the live one: one transaction from the first account to the last event."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.alignments.activations.activation import Activation, kind_of
from services.assignment.alignments.activations.queries import find_previous_plan
from services.assignment.alignments.activations.refusals import PlanIncomplete
from services.assignment.alignments.commands import Occasion, realign_all
from services.assignment.alignments.realignment import Realignment
from services.assignment.placements.queries import has_placements
from services.assignment.plans.commands.switch_live_plan import switch_live_plan
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


@dataclass(frozen=True, slots=True)
class TakenOver:
    """An activation, and what realigning all accounts for it counted."""

    activation: Activation
    realignment: Realignment


async def take_over(uow: UnitOfWork, plan: Plan, live: LivePlan, at: datetime) -> TakenOver:
    """Realign every account by the plan, and switch to it. The caller has locked both plans.

    Raises PlanIncomplete.
    """
    tree = await _require_whole(uow, plan.plan_id)
    if plan.tree_id is None:
        # Before the accounts: an event about an activation finds its plan's tree announced.
        uow.outbox.add(_published(plan.plan_id, tree))
    activation_id = new_id()
    realigned = await realign_all(uow, Occasion(plan.plan_id, at, activation_id))
    activation = Activation(
        activation_id=activation_id,
        sequence=live.sequence + 1,
        plan_id=plan.plan_id,
        previous_plan_id=live.plan_id,
        kind=kind_of(plan.plan_id, before_live=await find_previous_plan(uow.connection, live)),
        effective_at=at,
        recorded_at=uow.now,
        recorded_by=uow.actor,
        accounts=realigned.accounts,
        moved=realigned.moved,
        gaps=realigned.gaps,
        ties=realigned.ties,
    )
    await _record(uow, activation)
    after = LivePlan(plan.plan_id, activation.activation_id, activation.sequence)
    await switch_live_plan(uow, live, after, at=at, tree_id=tree.tree_id)
    _announce(uow, activation, tree)
    return TakenOver(activation, realigned)


async def _require_whole(uow: UnitOfWork, plan_id: UUID) -> Tree:
    tree = await load_tree(uow.connection, plan_id)
    if not tree.territories:
        raise PlanIncomplete("territories: the plan has none; every account would be in a gap.")
    if (await find_plan(uow.connection, plan_id)).rules == 0 and not await has_placements(
        uow.connection, plan_id
    ):
        raise PlanIncomplete("rules: the plan has none, nor placements; every account would be in a gap.")
    return tree


async def _record(uow: UnitOfWork, activation: Activation) -> None:
    names = (name for name in Activation.__dataclass_fields__ if name != "override_reason")
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
