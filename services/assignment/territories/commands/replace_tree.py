"""Replace the whole tree of a draft."""

from dataclasses import dataclass

from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.territories.commands.store_tree import RevisedTree, store_tree
from services.assignment.territories.tree import Territory, plant_tree
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ReplaceTree:
    """Give a draft a whole new tree."""

    draft: DraftAsRead
    territories: tuple[Territory, ...]


async def replace_tree(command: ReplaceTree, uow: UnitOfWork) -> RevisedTree:
    """Store the tree whole. Raises InvalidTree, TerritoryInUse, PlanNotDraft, VersionMismatch, NotFound."""
    version = await revise_draft(uow, command.draft)
    tree = plant_tree(command.territories)
    await store_tree(uow, command.draft.plan_id, tree)
    return RevisedTree(version, tree)
