"""Give one plan the tree of another, territory ids and all."""

from uuid import UUID

from sqlalchemy import text

from shared.db.unit_of_work import UnitOfWork

_COPY_TERRITORIES = text("""
INSERT INTO territories (plan_id, territory_id, parent_id, name, kind, code)
SELECT :target, territory_id, parent_id, name, kind, code FROM territories WHERE plan_id = :source
""")
_COPY_CLOSURE = text("""
INSERT INTO plan_closure (plan_id, ancestor_id, territory_id, depth)
SELECT :target, ancestor_id, territory_id, depth FROM plan_closure WHERE plan_id = :source
""")


async def copy_tree(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Copy the territories, and who lies under whom, into a plan that has none."""
    await uow.connection.execute(_COPY_TERRITORIES, {"source": source, "target": target})
    await uow.connection.execute(_COPY_CLOSURE, {"source": source, "target": target})
