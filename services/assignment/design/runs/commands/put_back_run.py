"""Put a run back that its worker cannot finish because it stops; the job goes back to the queue beside it."""

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


@dataclass(frozen=True, slots=True)
class PutBackRun:
    """Let another worker do the run that was taken for the n-th time."""

    run_id: UUID
    attempt: int


async def put_back_run(command: PutBackRun, uow: UnitOfWork) -> None:
    """Have a run wait again, unless somebody cancelled it or another worker has it."""
    put_back = await uow.connection.execute(
        _PUT_BACK, {"run_id": command.run_id, "attempt": command.attempt, "now": uow.now}
    )
    if put_back.first() is not None:
        await tell_followers(uow, command.run_id)
