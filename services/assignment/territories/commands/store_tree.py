"""Store the tree of a draft, whatever changed in it, as one: territories and who lies under whom."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.territories.refusals import TerritoryInUse
from services.assignment.territories.tree import Tree
from shared.db.sqlstate import FOREIGN_KEY_VIOLATION, sqlstate_of
from shared.db.unit_of_work import UnitOfWork

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


@dataclass(frozen=True, slots=True)
class RevisedTree:
    """A draft's tree after a change, and the version of the plan this made."""

    version: int
    tree: Tree


async def store_tree(uow: UnitOfWork, plan_id: UUID, tree: Tree) -> None:
    """Make a draft's tree this one. Raises TerritoryInUse."""
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
                "territories: rules send accounts to a territory that would go, pins hold them there, or placements "
                "put them there; change those first."
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
