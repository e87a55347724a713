"""The live territory tree, from two topics of assignment: trees by their shape, and which one is live.

The two may arrive in either order. An activation whose tree is not here yet leaves `live_closure` empty:
callers with a territorial scope see nothing for that moment, rather than by a tree that is out of force.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.projections.closure import closure_of
from shared.contracts.assignment import PlanActivated, TreePublished
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

# Equal trees have equal ids, so one that is here already is the same.
_KEEP_TREE = text("""
INSERT INTO tree_closures (tree_id, ancestor_id, territory_id, depth)
SELECT CAST(:tree AS uuid), b.ancestor_id, b.territory_id, b.depth
FROM unnest(CAST(:ancestors AS uuid[]), CAST(:territories AS uuid[]), CAST(:depths AS int[]))
    AS b (ancestor_id, territory_id, depth)
ON CONFLICT DO NOTHING
""")
_GO_LIVE = text("""
INSERT INTO live_plan AS live (sequence, plan_id, tree_id) VALUES (:sequence, :plan, :tree)
ON CONFLICT (singleton) DO UPDATE SET
    sequence = excluded.sequence, plan_id = excluded.plan_id, tree_id = excluded.tree_id
WHERE live.sequence < excluded.sequence
""")

TREE_AWAITED = """
(EXISTS (SELECT 1 FROM live_plan) AND NOT EXISTS (SELECT 1 FROM live_closure))
"""
"""SQL: a plan is live whose tree is not here yet. Nothing may follow from what then seems to lie nowhere."""

IN_SCOPE = """
SELECT DISTINCT scoped.territory_id FROM live_closure AS scoped
WHERE scoped.ancestor_id = ANY(CAST(:scope_roots AS uuid[]))
"""
"""The territories of a scope that is not everything, to start from: Scope.covers only tests a row at hand."""
_FEW = 100


def is_live(territory: str) -> str:
    """Return SQL that is true where the territory in this column is one of the tree in force."""
    return (
        f"EXISTS (SELECT 1 FROM live_closure AS live WHERE live.ancestor_id = {territory} "
        f"AND live.territory_id = {territory})"
    )


async def are_few(read: AsyncConnection, territories: str, binds: Mapping[str, Any]) -> bool:
    """Return whether the SQL names few territories: then rows are best found from them.

    Of many, a page's rows turn up soon enough in the order of the page.
    """
    counted = text(f"SELECT count(*) FROM (SELECT 1 FROM ({territories}) AS t LIMIT {_FEW + 1}) AS counted")
    number: int = (await read.execute(counted, binds)).scalar_one()
    return number <= _FEW


async def keep_trees(received: Sequence[Received[TreePublished]], uow: UnitOfWork) -> None:
    """Keep the closure of every published tree."""
    for tree in {item.event.tree_id: item.event for item in received}.values():
        closure = closure_of((node.territory_id, node.parent_id) for node in tree.territories)
        await uow.connection.execute(
            _KEEP_TREE,
            {
                "tree": tree.tree_id,
                "ancestors": [below.ancestor_id for below in closure],
                "territories": [below.territory_id for below in closure],
                "depths": [below.depth for below in closure],
            },
        )


async def follow_activations(received: Sequence[Received[PlanActivated]], uow: UnitOfWork) -> None:
    """Point at the tree of the latest activation; plans are keys of their own, so `sequence` decides."""
    latest = max((item.event for item in received), key=lambda event: event.sequence)
    await uow.connection.execute(
        _GO_LIVE, {"sequence": latest.sequence, "plan": latest.plan_id, "tree": latest.tree_id}
    )
