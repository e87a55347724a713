"""Find runs that no job stands behind: those that somebody cancelled are ended, all others queued anew."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.commands.put_job import put_job
from services.assignment.design.runs.run import RunState
from shared.db.unit_of_work import UnitOfWork

# A run and its job come in one transaction, and the run ends before its job goes: who sees none is to see to it. A run
# under way that tells something now and then has a worker yet, job or not. A job that is held waits for an operator,
# but nobody who cancels has to.
_WITHOUT_JOB = text("""
SELECT run_id, attempt, cancel_asked_by IS NOT NULL AS cancelled FROM design_runs AS r
WHERE (state = 'queued' OR (state = 'running' AND told_at < :quiet_since))
  AND NOT EXISTS (
      SELECT FROM pgqueuer AS j
      WHERE j.dedupe_key = CAST(r.run_id AS text) AND (j.status <> 'failed' OR r.cancel_asked_by IS NULL)
  )
ORDER BY run_id FOR UPDATE SKIP LOCKED
""")


@dataclass(frozen=True, slots=True)
class MendRuns:
    """Look after runs without a job; one under way only once nothing was told of it for some time."""

    quiet: timedelta


async def mend_runs(command: MendRuns, uow: UnitOfWork) -> list[UUID]:
    """Return the runs that had no job, and have ended or have one now."""
    found = (await uow.connection.execute(_WITHOUT_JOB, {"quiet_since": uow.now - command.quiet})).all()
    for run in found:
        if run.cancelled:
            await end_run(EndRun(run.run_id, run.attempt, RunState.CANCELLED), uow)
        else:
            await put_job(uow, run.run_id)
    return [run.run_id for run in found]
