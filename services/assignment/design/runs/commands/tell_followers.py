"""Ring for those who follow a run, once what changed is committed."""

from uuid import UUID

from sqlalchemy import text

from shared.db.unit_of_work import UnitOfWork

CHANNEL = "assignment_design_runs"

_RING = text(f"SELECT pg_notify('{CHANNEL}', :run_id)")


async def tell_followers(uow: UnitOfWork, run_id: UUID) -> None:
    """Have everybody who follows a run look at it when this transaction commits."""
    await uow.connection.execute(_RING, {"run_id": str(run_id)})
