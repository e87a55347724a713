"""Put a run back that its worker cannot finish: it stops, or the database was away; the job goes back beside it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.assignment.design.runs.commands.tell_followers import tell_followers
from shared.db.unit_of_work import UnitOfWork

_PUT_BACK = text("""
UPDATE design_runs SET state = 'queued', number = number + 1, stage = NULL, share = NULL, figures = NULL, told_at = :now
WHERE run_id = :run_id AND state = 'running' AND attempt = :attempt AND cancel_asked_by IS NULL
RETURNING number
""")
# Somebody took it meanwhile and counted a loss: who says so is there.
_NOT_LOST = text("""
UPDATE design_runs SET losses = losses - 1
WHERE run_id = :run_id AND state = 'running' AND attempt > :attempt AND losses > 0
""")


@dataclass(frozen=True, slots=True)
class PutBackRun:
    """Let another worker do the run that was taken for the n-th time."""

    run_id: UUID
    attempt: int


async def put_back_run(command: PutBackRun, uow: UnitOfWork) -> None:
    """Have a run wait again, unless somebody cancelled it; if another worker has it, it was not lost by this one."""
    taken = {"run_id": command.run_id, "attempt": command.attempt}
    put_back = await uow.connection.execute(_PUT_BACK, {**taken, "now": uow.now})
    if put_back.first() is not None:
        await tell_followers(uow, command.run_id)
    else:
        await uow.connection.execute(_NOT_LOST, taken)
