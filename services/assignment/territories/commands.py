"""Changing the tree of a draft. Whatever changes, the whole tree is checked and stored as one."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.plans.draft import revise_draft
from services.assignment.territories.queries import load_tree, require_in_scope, require_not_foreign
from services.assignment.territories.refusals import TerritoryInUse
from services.assignment.territories.tree import Territory, Tree, plant_tree
from shared.db.scope import Scope
from shared.db.transact import sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

FOREIGN_KEY_VIOLATION = "23503"

_DELETE = text("""
DELETE FROM territories WHERE plan_id = :plan_id AND territory_id <> ALL (CAST(:territory_ids AS uuid[]))
""")
_UPSERT = text("""
INSERT INTO territories AS t (plan_id, territory_id, parent_id, name, kind, code)
SELECT :plan_id, i.territory_id, i.parent_id, i.name, i.kind, i.code
FROM unnest(CAST(:territory_ids AS uuid[]), CAST(:parent_ids AS uuid[]), CAST(:names AS text[]),
            CAST(:kinds AS text[]), CAST(:codes AS text[])) AS i (territory_id, parent_id, name, kind, code)
ON CONFLICT (plan_id, territory_id) DO UPDATE
SET parent_id = excluded.parent_id, name = excluded.name, kind = excluded.kind, code = excluded.code
""")
_CLEAR_CLOSURE = text("DELETE FROM plan_closure WHERE plan_id = :plan_id")
_STORE_CLOSURE = text("""
INSERT INTO plan_closure (plan_id, ancestor_id, territory_id, depth)
SELECT :plan_id, i.ancestor_id, i.territory_id, i.depth
FROM unnest(CAST(:ancestor_ids AS uuid[]), CAST(:territory_ids AS uuid[]), CAST(:depths AS int[]))
    AS i (ancestor_id, territory_id, depth)
""")
_COPY_TERRITORIES = text("""
INSERT INTO territories (plan_id, territory_id, parent_id, name, kind, code)
SELECT :target, territory_id, parent_id, name, kind, code FROM territories WHERE plan_id = :source
""")
_COPY_CLOSURE = text("""
INSERT INTO plan_closure (plan_id, ancestor_id, territory_id, depth)
SELECT :target, ancestor_id, territory_id, depth FROM plan_closure WHERE plan_id = :source
""")


@dataclass(frozen=True, slots=True)
class ReplaceTree:
    """Give a draft a whole new tree."""

    plan_id: UUID
    expected_version: int
    territories: tuple[Territory, ...]


@dataclass(frozen=True, slots=True)
class PutTerritory:
    """Add one territory to a draft, or change it."""

    plan_id: UUID
    expected_version: int
    territory: Territory
    scope: Scope


@dataclass(frozen=True, slots=True)
class RemoveTerritory:
    """Take one territory out of a draft."""

    plan_id: UUID
    expected_version: int
    territory_id: UUID
    scope: Scope


@dataclass(frozen=True, slots=True)
class RevisedTree:
    """A draft's tree after a change, and the version it made."""

    version: int
    tree: Tree
    territory: Territory | None = None


async def replace_tree(command: ReplaceTree, uow: UnitOfWork) -> RevisedTree:
    """Store the tree whole. Raises InvalidTree, TerritoryInUse, PlanNotDraft, VersionMismatch, NotFound."""
    version = await revise_draft(uow, command.plan_id, expected_version=command.expected_version)
    tree = plant_tree(command.territories)
    await _store(uow, command.plan_id, tree)
    return RevisedTree(version, tree)


async def put_territory(command: PutTerritory, uow: UnitOfWork) -> RevisedTree:
    """Add or change one territory. Both it and its parent must lie in the caller's scope."""
    version = await revise_draft(uow, command.plan_id, expected_version=command.expected_version)
    tree = await load_tree(uow.connection, command.plan_id)
    known = tree.find(command.territory.territory_id)
    await _require_scope(uow, command, known)
    changed = tree.with_territory(command.territory)
    await _store(uow, command.plan_id, changed)
    return RevisedTree(version, changed, command.territory)


async def _require_scope(uow: UnitOfWork, command: PutTerritory, known: Territory | None) -> None:
    if command.scope.everything:
        return
    if known is None:
        # An id that others own would, under the caller's root, look like the caller's own.
        await require_not_foreign(uow.connection, command.territory.territory_id, scope=command.scope)
    wanted = {known.territory_id} if known else set()
    # Keeping a parent needs no say over it; a new place needs one over the new parent, a root over all.
    if known is None or known.parent_id != command.territory.parent_id:
        if command.territory.parent_id is None:
            raise NotFound("parent_id: choose a territory in your scope.")
        wanted.add(command.territory.parent_id)
    await require_in_scope(uow.connection, command.plan_id, wanted, scope=command.scope)


async def remove_territory(command: RemoveTerritory, uow: UnitOfWork) -> RevisedTree:
    """Take out a leaf without rules. Raises TerritoryInUse, PlanNotDraft, VersionMismatch, NotFound."""
    version = await revise_draft(uow, command.plan_id, expected_version=command.expected_version)
    await require_in_scope(uow.connection, command.plan_id, {command.territory_id}, scope=command.scope)
    tree = await load_tree(uow.connection, command.plan_id)
    rest = [node for node in tree.territories if node.territory_id != command.territory_id]
    if len(rest) == len(tree.territories):
        raise NotFound("territory_id: the plan has no such territory.")
    if any(node.parent_id == command.territory_id for node in rest):
        raise TerritoryInUse("territory_id: the territory has children; move or remove them first.")
    smaller = plant_tree(rest)
    await _store(uow, command.plan_id, smaller)
    return RevisedTree(version, smaller)


async def copy_tree(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Give one plan the tree of another, territory ids and all."""
    await uow.connection.execute(_COPY_TERRITORIES, {"source": source, "target": target})
    await uow.connection.execute(_COPY_CLOSURE, {"source": source, "target": target})


async def _store(uow: UnitOfWork, plan_id: UUID, tree: Tree) -> None:
    nodes = tree.territories
    ids: dict[str, Any] = {"plan_id": plan_id, "territory_ids": [node.territory_id for node in nodes]}
    await uow.connection.execute(_CLEAR_CLOSURE, ids)
    await _drop_others(uow, ids)
    await uow.connection.execute(
        _UPSERT,
        {
            **ids,
            "parent_ids": [node.parent_id for node in nodes],
            "names": [node.name for node in nodes],
            "kinds": [node.kind.value for node in nodes],
            "codes": [node.code for node in nodes],
        },
    )
    await _store_closure(uow, plan_id, tree)


async def _drop_others(uow: UnitOfWork, ids: dict[str, Any]) -> None:
    try:
        await uow.connection.execute(_DELETE, ids)
    except IntegrityError as error:
        if sqlstate_of(error) == FOREIGN_KEY_VIOLATION:
            raise TerritoryInUse(
                "territories: rules still send accounts to a territory that would go; change the rules first."
            ) from None
        raise


async def _store_closure(uow: UnitOfWork, plan_id: UUID, tree: Tree) -> None:
    closure = list(zip(*tree.closure(), strict=True)) or [(), (), ()]
    await uow.connection.execute(
        _STORE_CLOSURE,
        {
            "plan_id": plan_id,
            "ancestor_ids": list(closure[0]),
            "territory_ids": list(closure[1]),
            "depths": list(closure[2]),
        },
    )
