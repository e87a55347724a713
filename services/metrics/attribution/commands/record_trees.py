"""Territory trees: kept once each; one that comes after its activation mends what was counted without it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import text

from services.metrics.attribution.commands.restate_tree import restate_live_tree, restate_tree_in_force
from services.metrics.attribution.credit import change_trees
from services.metrics.attribution.tree import lines_of
from services.metrics.attribution.tree_periods import TreeShift
from shared.contracts.assignment import TerritoryNode, TreePublished
from shared.contracts.identity import ORGANISATION
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_ADD = text("""
INSERT INTO trees (tree_id, published_at) VALUES (:tree_id, :now) ON CONFLICT DO NOTHING RETURNING 1
""")
# An array of arrays would have to be rectangular, so lines travel as steps and are put together here. The
# organisation stands above every line but is nobody's scope, so the closure leaves it out.
_ADD_LINES = text(f"""
WITH steps AS (
    SELECT * FROM unnest(CAST(:territories AS uuid[]), CAST(:ancestors AS uuid[]), CAST(:depths AS int[]))
        AS s (territory_id, ancestor_id, depth)
), lines AS (
    INSERT INTO tree_lines (tree_id, territory_id, line)
    SELECT CAST(:tree_id AS uuid), territory_id, array_agg(ancestor_id ORDER BY depth)
    FROM steps GROUP BY territory_id
)
INSERT INTO tree_closure (tree_id, ancestor_id, territory_id, depth)
SELECT CAST(:tree_id AS uuid), ancestor_id, territory_id, depth FROM steps WHERE ancestor_id <> '{ORGANISATION}'
""")
_WHEN = text("SELECT valid_from, valid_to FROM tree_periods WHERE tree_id = :tree_id")
_IS_LIVE = text("SELECT 1 FROM live_plan WHERE tree_id = :tree_id")


async def record_trees(batch: Sequence[Received[TreePublished]], uow: UnitOfWork) -> None:
    """Keep the trees that are new; equal trees have equal ids, so a known id says nothing new."""
    for received in batch:
        await add_tree(received.event.tree_id, received.event.territories, uow)


async def add_tree(tree_id: UUID, territories: Sequence[TerritoryNode], uow: UnitOfWork) -> None:
    """Keep a tree if it is new, and spread by it what was counted while its shape was not known."""
    await change_trees(uow)
    added = await uow.connection.execute(_ADD, {"tree_id": tree_id, "now": uow.now})
    if added.first() is not None:
        parents = {node.territory_id: node.parent_id for node in territories}
        await _add_lines(tree_id, lines_of(parents), uow)
        await _mend(tree_id, uow)


async def _add_lines(tree_id: UUID, lines: Mapping[UUID, Sequence[UUID]], uow: UnitOfWork) -> None:
    steps = [
        (territory, ancestor, depth)
        for territory, line in lines.items()
        for depth, ancestor in enumerate(line)
    ]
    await uow.connection.execute(
        _ADD_LINES,
        {
            "tree_id": tree_id,
            "territories": [territory for territory, _, _ in steps],
            "ancestors": [ancestor for _, ancestor, _ in steps],
            "depths": [depth for _, _, depth in steps],
        },
    )


async def _mend(tree_id: UUID, uow: UnitOfWork) -> None:
    """Spread by this tree what was counted while its shape was not known."""
    names = {"tree_id": tree_id}
    periods = (await uow.connection.execute(_WHEN, names)).all()
    if periods:
        await restate_tree_in_force([TreeShift(start, end, None, tree_id) for start, end in periods], uow)
    if (await uow.connection.execute(_IS_LIVE, names)).first() is not None:
        await restate_live_tree(None, tree_id, uow)
