"""Take one territory out of a draft, within the caller's scope."""

from dataclasses import dataclass
from uuid import UUID

from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.territories.commands.store_tree import RevisedTree, store_tree
from services.assignment.territories.queries import load_tree, require_in_scope
from services.assignment.territories.refusals import TerritoryInUse
from services.assignment.territories.tree import Tree
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class RemoveTerritory:
    """Take one territory out of a draft."""

    draft: DraftAsRead
    territory_id: UUID
    scope: Scope


async def remove_territory(command: RemoveTerritory, uow: UnitOfWork) -> RevisedTree:
    """Take out a leaf without rules, pins and placements. Raises TerritoryInUse, PlanNotDraft, VersionMismatch, NotFound."""
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    await require_in_scope(uow.connection, plan_id, {command.territory_id}, scope=command.scope)
    tree = await load_tree(uow.connection, plan_id)
    if tree.find(command.territory_id) is None:
        raise NotFound("territory_id: the plan has no such territory.")
    rest = tuple(node for node in tree.territories if node.territory_id != command.territory_id)
    if any(node.parent_id == command.territory_id for node in rest):
        raise TerritoryInUse("territory_id: the territory has children; move or remove them first.")
    smaller = Tree(rest)
    await store_tree(uow, plan_id, smaller)
    return RevisedTree(version, smaller)
