"""Delete a run that has ended, with its proposal: what drafts took of it, they keep."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.queries import find_run
from services.assignment.design.runs.refusals import DesignRunNotEnded
from shared.db.unit_of_work import UnitOfWork

_DELETE = text("""
DELETE FROM design_runs WHERE run_id = :run_id AND state NOT IN ('queued', 'running') RETURNING run_id
""")


@dataclass(frozen=True, slots=True)
class DeleteRun:
    """Forget a run."""

    run_id: UUID


async def delete_run(command: DeleteRun, uow: UnitOfWork) -> None:
    """Delete an ended run. Raises NotFound, DesignRunNotEnded."""
    await find_run(uow.connection, command.run_id)
    gone = await uow.connection.execute(_DELETE, {"run_id": command.run_id})
    if gone.first() is None:
        raise DesignRunNotEnded("run_id: the design run is under way; cancel it first.")
