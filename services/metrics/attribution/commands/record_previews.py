"""Previews of plans: where accounts would be. The latest one of a plan replaces the one before."""

from collections.abc import Sequence

from sqlalchemy import text

from services.metrics.attribution.commands.record_trees import add_tree
from shared.contracts.assignment import PlanPreviewed
from shared.contracts.identity import UNASSIGNED
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_FORGET = text("DELETE FROM planned_moves WHERE plan_id = :plan_id")
_BEGIN = text("""
INSERT INTO plan_previews (plan_id, preview_id, plan_version, tree_id, parts, parts_seen, previewed_at)
VALUES (:plan_id, :preview_id, :plan_version, :tree_id, :parts, 0, :previewed_at)
ON CONFLICT (plan_id) DO UPDATE
SET preview_id = excluded.preview_id, plan_version = excluded.plan_version, tree_id = excluded.tree_id,
    parts = excluded.parts, parts_seen = 0, previewed_at = excluded.previewed_at
""")
_COUNT = text("""
UPDATE plan_previews SET parts_seen = parts_seen + 1
WHERE plan_id = :plan_id AND preview_id = :preview_id RETURNING 1
""")
_KEEP = text("""
INSERT INTO planned_moves (plan_id, account_id, territory_id)
SELECT :plan_id, i.account_id, i.territory_id
FROM unnest(CAST(:accounts AS uuid[]), CAST(:territories AS uuid[])) AS i (account_id, territory_id)
""")


async def record_previews(batch: Sequence[Received[PlanPreviewed]], uow: UnitOfWork) -> None:
    """Keep the parts of previews; a plan's come in order, so the first part begins a preview."""
    for event in (received.event for received in batch):
        if event.part == 1:
            await _begin(event, uow)
        names = {"plan_id": event.plan_id, "preview_id": event.preview_id}
        if (await uow.connection.execute(_COUNT, names)).first() is None:
            continue
        await uow.connection.execute(
            _KEEP,
            {
                "plan_id": event.plan_id,
                "accounts": [move.account_id for move in event.moves],
                "territories": [move.to_territory_id or UNASSIGNED for move in event.moves],
            },
        )


async def _begin(event: PlanPreviewed, uow: UnitOfWork) -> None:
    await add_tree(event.tree_id, event.territories, uow)
    await uow.connection.execute(_FORGET, {"plan_id": event.plan_id})
    fields = ("plan_id", "preview_id", "plan_version", "tree_id", "parts", "previewed_at")
    await uow.connection.execute(_BEGIN, {name: getattr(event, name) for name in fields})
