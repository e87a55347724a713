"""Announcing what a plan would change, so that other services can tell what the figures would be."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.assignment.alignments.queries import load_matcher, read_units
from services.assignment.alignments.realignment import TERRITORY_ID, Unit
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from services.assignment.plans.queries import find_plan
from services.assignment.rules.matcher import ACCOUNT_ID, Matcher
from services.assignment.territories.queries import load_tree
from shared.contracts.assignment import PlannedMove, PlanPreviewed, TerritoryNode
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

MOVES_PER_PART = 500


@dataclass(frozen=True, slots=True)
class PreviewPlan:
    """Tell what a plan would change if it went live now."""

    plan_id: UUID


@dataclass(frozen=True, slots=True)
class Preview:
    """What was announced."""

    preview_id: UUID
    plan_id: UUID
    plan_version: int
    accounts: int
    moved: int
    previewed_at: datetime


async def preview_plan(command: PreviewPlan, uow: UnitOfWork) -> Preview:
    """Match all accounts by the plan and announce those that would move. Raises NotFound, PlanBusy."""
    # What is in force stays while it is compared with.
    await hold_live_plan(uow)
    plan = await find_plan(uow.connection, command.plan_id)
    matcher = await load_matcher(uow.connection, plan.plan_id, at=uow.now)
    moves: list[PlannedMove] = []
    accounts = 0
    async for units in read_units(uow.connection, plan.plan_id):
        accounts += len(units)
        moves += await asyncio.to_thread(_moves, matcher, units)
    tree = await load_tree(uow.connection, plan.plan_id)
    nodes = tuple(
        TerritoryNode(territory_id=node.territory_id, parent_id=node.parent_id, kind=node.kind.value)
        for node in tree.territories
    )
    preview = Preview(new_id(), plan.plan_id, plan.version, accounts, len(moves), uow.now)
    await asyncio.to_thread(uow.outbox.add_all, _parts(preview, tree.tree_id, nodes, moves))
    return preview


def _moves(matcher: Matcher, units: Sequence[Unit]) -> list[PlannedMove]:
    placed = ((unit, matcher.match(unit).territory_id) for unit in units)
    return [
        PlannedMove(account_id=unit[ACCOUNT_ID], to_territory_id=territory_id)
        for unit, territory_id in placed
        if unit[TERRITORY_ID] != territory_id
    ]


def _parts(
    preview: Preview, tree_id: UUID, nodes: tuple[TerritoryNode, ...], moves: Sequence[PlannedMove]
) -> Iterator[PlanPreviewed]:
    starts = range(0, max(len(moves), 1), MOVES_PER_PART)
    for part, start in enumerate(starts, start=1):
        yield PlanPreviewed(
            plan_id=preview.plan_id,
            preview_id=preview.preview_id,
            plan_version=preview.plan_version,
            tree_id=tree_id,
            part=part,
            parts=len(starts),
            territories=nodes if part == 1 else (),
            moves=tuple(moves[start : start + MOVES_PER_PART]),
            previewed_at=preview.previewed_at,
        )
