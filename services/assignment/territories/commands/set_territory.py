"""Add one territory to a draft, or change it, within the caller's scope."""

from dataclasses import dataclass

from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.territories.commands.store_tree import RevisedTree, store_tree
from services.assignment.territories.queries import load_tree, require_in_scope, require_not_foreign
from services.assignment.territories.tree import Territory
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class SetTerritory:
    """Add one territory to a draft, or change it."""

    draft: DraftAsRead
    territory: Territory
    scope: Scope


async def set_territory(command: SetTerritory, uow: UnitOfWork) -> RevisedTree:
    """Store one territory; it and its parent must lie in the caller's scope.

    Raises InvalidTree, PlanNotDraft, VersionMismatch, NotFound.
    """
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    tree = await load_tree(uow.connection, plan_id)
    if not command.scope.everything:
        await _require_scope(uow, command, tree.find(command.territory.territory_id))
    changed = tree.with_territory(command.territory)
    await store_tree(uow, plan_id, changed)
    return RevisedTree(version, changed)


async def _require_scope(uow: UnitOfWork, command: SetTerritory, known: Territory | None) -> None:
    if known is None:
        # An id that others own would, under the caller's root, look like the caller's own.
        await require_not_foreign(uow.connection, command.territory.territory_id, scope=command.scope)
    wanted = {known.territory_id} if known else set()
    # Keeping a parent needs no say over it; a new place needs one over the new parent, a root over all.
    if known is None or known.parent_id != command.territory.parent_id:
        if command.territory.parent_id is None:
            raise NotFound("parent_id: choose a territory in your scope.")
        wanted.add(command.territory.parent_id)
    await require_in_scope(uow.connection, command.draft.plan_id, wanted, scope=command.scope)
