"""Cancel a run: at once while it waits; one under way is told, and its worker ends it within a second."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.commands.end_run import EndRun, announce_end
from services.assignment.design.runs.commands.tell_followers import tell_followers
from services.assignment.design.runs.queries import DesignRun, find_run
from services.assignment.design.runs.refusals import DesignRunEnded
from services.assignment.design.runs.run import RunState
from shared.db.unit_of_work import UnitOfWork

_CANCEL = text("""
UPDATE design_runs SET
    state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
    ended_at = CASE state WHEN 'queued' THEN CAST(:now AS timestamptz) END,
    cancel_asked_by = coalesce(cancel_asked_by, :actor), number = number + 1, told_at = :now
WHERE run_id = :run_id AND state IN ('queued', 'running')
RETURNING state
""")


@dataclass(frozen=True, slots=True)
class CancelRun:
    """Do no more for a run; once more changes nothing while it is still under way."""

    run_id: UUID


async def cancel_run(command: CancelRun, uow: UnitOfWork) -> DesignRun:
    """Cancel a run. Raises NotFound, DesignRunEnded."""
    cancelled = await uow.connection.execute(
        _CANCEL, {"run_id": command.run_id, "actor": uow.actor, "now": uow.now}
    )
    state = cancelled.scalar()
    run = await find_run(uow.connection, command.run_id)
    if state is None:
        raise DesignRunEnded(f"run_id: the design run is {run.state} already; nothing was changed.")
    if run.state is RunState.CANCELLED:
        announce_end(uow, EndRun(run.run_id, run.attempt, run.state), run.plan_id)
    await tell_followers(uow, run.run_id)
    return run
