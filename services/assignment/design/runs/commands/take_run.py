"""Take a run: the worker that did so last is the one that is heard."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.commands.tell_followers import tell_followers
from services.assignment.design.runs.queries import DesignRun, find_run
from services.assignment.design.runs.run import MOST_LOSSES, Failure, RunState
from shared.db.unit_of_work import UnitOfWork

# A run that was begun begins anew: what its worker knew went with it.
_TAKE = text("""
UPDATE design_runs SET
    losses = losses + CASE state WHEN 'running' THEN 1 ELSE 0 END,
    state = 'running', attempt = attempt + 1, number = number + 1, stage = NULL, share = NULL, figures = NULL,
    started_at = coalesce(started_at, :now), told_at = :now
WHERE run_id = :run_id AND state IN ('queued', 'running') AND cancel_asked_by IS NULL
RETURNING attempt, losses
""")
_CANCEL = text("""
SELECT attempt FROM design_runs WHERE run_id = :run_id AND state = 'running' AND cancel_asked_by IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class TakeRun:
    """Take a run that its job names."""

    run_id: UUID


async def take_run(command: TakeRun, uow: UnitOfWork) -> DesignRun | None:
    """Return the run to do; None when there is nothing to do: it ended, or was deleted."""
    run_id = command.run_id
    cancelled = (await uow.connection.execute(_CANCEL, {"run_id": run_id})).scalar()
    if cancelled is not None:
        # Its worker was killed before it could see that.
        await end_run(EndRun(run_id, cancelled, RunState.CANCELLED), uow)
        return None
    taken = (await uow.connection.execute(_TAKE, {"run_id": run_id, "now": uow.now})).one_or_none()
    if taken is None:
        return None
    if taken.losses >= MOST_LOSSES:
        ended = EndRun(
            run_id,
            taken.attempt,
            RunState.FAILED,
            Failure.ENGINE_ENDED,
            f"{MOST_LOSSES} workers began this run and were lost; their logs and memory limits tell why.",
        )
        await end_run(ended, uow)
        return None
    await tell_followers(uow, run_id)
    return await find_run(uow.connection, run_id)
