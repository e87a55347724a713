"""End a run, once, by whoever took it last, and announce it."""

import json
from dataclasses import dataclass
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import text

from services.assignment.design.runs.commands.tell_followers import tell_followers
from services.assignment.design.runs.run import Failure, Figures, RunState
from shared.contracts.assignment import DesignRunFinished
from shared.db.unit_of_work import UnitOfWork

_END = text("""
UPDATE design_runs SET
    state = :state, number = number + 1, stage = CASE WHEN :proposes THEN 'report' ELSE stage END,
    share = CASE WHEN :proposes THEN 1 ELSE share END, told_at = :now, ended_at = :now, reason = :reason,
    detail = :detail, figures = coalesce(CAST(:figures AS jsonb), figures)
WHERE run_id = :run_id AND state = 'running' AND attempt = :attempt AND (cancel_asked_by IS NULL OR NOT :proposes)
RETURNING plan_id
""")


@dataclass(frozen=True, slots=True)
class EndRun:
    """What became of a run that was taken for the n-th time, and why it failed if it did.

    figures: those of its proposal; the last progress was of a plan before.
    """

    run_id: UUID
    attempt: int
    state: RunState
    failure: Failure | None = None
    detail: str | None = None
    accounts: int | None = None
    moved_accounts: int | None = None
    figures: Figures | None = None


async def end_run(command: EndRun, uow: UnitOfWork) -> bool:
    """Record and announce the end; False if another worker took the run, or somebody deleted it.

    A run that somebody cancelled keeps no proposal any more.
    """
    plan_id = (
        await uow.connection.execute(
            _END,
            {
                "run_id": command.run_id,
                "attempt": command.attempt,
                "state": command.state.value,
                "proposes": command.state.proposes,
                "reason": None if command.failure is None else command.failure.value,
                "detail": command.detail,
                "figures": None
                if command.figures is None
                else json.dumps(to_jsonable_python(command.figures)),
                "now": uow.now,
            },
        )
    ).scalar()
    if plan_id is None:
        return False
    announce_end(uow, command, plan_id)
    await tell_followers(uow, command.run_id)
    return True


def announce_end(uow: UnitOfWork, ended: EndRun, plan_id: UUID) -> None:
    """Announce that a run ended, however it did."""
    uow.outbox.add(
        DesignRunFinished(
            design_run_id=ended.run_id,
            plan_id=plan_id,
            state=ended.state.value,
            reason=None if ended.failure is None else ended.failure.value,
            accounts=ended.accounts,
            moved_accounts=ended.moved_accounts,
            finished_at=uow.now,
        )
    )
