"""The kind of each territory, from the published trees: a plan's own, since equal shapes may differ in kinds."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.contracts.assignment import TreePublished
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

# A plan's tree is published once and never changes after.
_KEEP = text("""
INSERT INTO territory_kinds (plan_id, territory_id, kind)
SELECT * FROM unnest(CAST(:plans AS uuid[]), CAST(:territories AS uuid[]), CAST(:kinds AS text[]))
ON CONFLICT DO NOTHING
""")


async def keep_kinds(received: Sequence[Received[TreePublished]], uow: UnitOfWork) -> None:
    """Keep the kinds of every published tree."""
    nodes = [(item.event.plan_id, node) for item in received for node in item.event.territories]
    await uow.connection.execute(
        _KEEP,
        {
            "plans": [plan_id for plan_id, _ in nodes],
            "territories": [node.territory_id for _, node in nodes],
            "kinds": [node.kind for _, node in nodes],
        },
    )
