"""Tell how far a run is, with the figures of the best plan so far."""

import json
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.runs.commands.tell_followers import tell_followers
from services.assignment.design.runs.run import Progress
from shared.db.unit_of_work import UnitOfWork

_REPORT = text("""
UPDATE design_runs SET
    number = number + 1, stage = :stage, share = :share, told_at = :now,
    figures = coalesce(CAST(:figures AS jsonb), figures)
WHERE run_id = :run_id AND state = 'running' AND attempt = :attempt AND cancel_asked_by IS NULL
RETURNING number
""")


@dataclass(frozen=True, slots=True)
class ReportProgress:
    """What a run that was taken for the n-th time is at."""

    run_id: UUID
    attempt: int
    progress: Progress


async def report_progress(command: ReportProgress, uow: UnitOfWork) -> bool:
    """Record the progress; False when the run is not to go on: cancelled, or taken by another worker."""
    progress = command.progress
    figures = None if progress.figures is None else json.dumps(to_jsonable_python(progress.figures))
    reported = await uow.connection.execute(
        _REPORT,
        {
            "run_id": command.run_id,
            "attempt": command.attempt,
            "stage": progress.stage,
            "share": progress.share,
            "figures": figures,
            "now": uow.now,
        },
    )
    if reported.first() is None:
        return False
    await tell_followers(uow, command.run_id)
    return True
