"""An event starts clocks: one obligation for every subject and protocol, set-based, in the event's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.projections.coverages import find_reps
from services.collab.protocols.protocol import Schedule, Trigger, schedule
from services.collab.protocols.queries import RunningProtocol, find_running_protocols
from shared.contracts.policies import ObligationOpened
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_OPEN = text("""
INSERT INTO obligations (obligation_id, protocol_id, protocol_version, duty, subject_id, account_id,
    territory_id, rep_id, state, started_at, opened_at, due_at)
SELECT o.obligation_id, CAST(:protocol AS uuid), CAST(:version AS int), CAST(:duty AS text), o.subject_id,
    o.account_id, o.territory_id, o.rep_id, 'open', o.started_at, CAST(:now AS timestamptz), o.due_at
FROM unnest(
    CAST(:obligations AS uuid[]), CAST(:subjects AS uuid[]), CAST(:accounts AS uuid[]),
    CAST(:territories AS uuid[]), CAST(:reps AS uuid[]), CAST(:starts AS timestamptz[]),
    CAST(:deadlines AS timestamptz[])
) AS o (obligation_id, subject_id, account_id, territory_id, rep_id, started_at, due_at)
""")
_SET_TIMERS = text("""
INSERT INTO timers (obligation_id, loop, step, action, due_at)
SELECT o.obligation_id, t.loop, t.step, t.action, t.due_at
FROM unnest(CAST(:obligations AS uuid[])) AS o (obligation_id)
CROSS JOIN unnest(
    CAST(:loops AS smallint[]), CAST(:steps AS smallint[]), CAST(:actions AS text[]),
    CAST(:moments AS timestamptz[])
) AS t (loop, step, action, due_at)
""")


@dataclass(frozen=True, slots=True)
class Subject:
    """What an obligation is about: a handoff, a contact, a request; and whose it is.

    It is owed by `rep_id`, or else by whoever covers the territory.
    """

    subject_id: UUID
    account_id: UUID | None
    territory_id: UUID | None
    started_at: datetime
    rep_id: UUID | None = None


async def open_obligations(trigger: Trigger, subjects: Sequence[Subject], uow: UnitOfWork) -> None:
    """Start the clock of every protocol that answers to this event."""
    if not subjects:
        return
    for protocol in await find_running_protocols(uow.connection, trigger):
        await _open(protocol, subjects, uow)


async def _open(protocol: RunningProtocol, subjects: Sequence[Subject], uow: UnitOfWork) -> None:
    content = protocol.content
    # A realignment opens thousands at one instant: their clocks are the same.
    schedules = {
        start: schedule(content, protocol.calendar, start)
        for start in {subject.started_at for subject in subjects}
    }
    owers = await _find_owers(subjects, content.role, uow)
    opened = [
        ObligationOpened(
            obligation_id=new_id(),
            protocol_id=protocol.protocol_id,
            protocol_version=protocol.version,
            due_at=schedules[subject.started_at].due_at,
            duty=content.duty.value,
            subject_id=subject.subject_id,
            account_id=subject.account_id,
            territory_id=subject.territory_id,
            rep_id=owers[subject.subject_id],
            started_at=subject.started_at,
        )
        for subject in subjects
    ]
    await uow.connection.execute(_OPEN, {**_columns(opened), "now": uow.now})
    for start, clock in schedules.items():
        await _set_timers(clock, [one.obligation_id for one in opened if one.started_at == start], uow)
    uow.outbox.add_all(opened)


async def _find_owers(subjects: Sequence[Subject], role: str, uow: UnitOfWork) -> dict[UUID, UUID | None]:
    places = {subject.territory_id for subject in subjects if subject.territory_id is not None}
    reps = await find_reps(uow.connection, {(place, uow.now) for place in places}, role=role)
    covering = {place: rep_id for (place, _), rep_id in reps.items()}
    return {
        subject.subject_id: subject.rep_id
        or (None if subject.territory_id is None else covering[subject.territory_id])
        for subject in subjects
    }


def _columns(opened: Sequence[ObligationOpened]) -> dict[str, Any]:
    first = opened[0]
    return {
        "protocol": first.protocol_id,
        "version": first.protocol_version,
        "duty": first.duty,
        "obligations": [one.obligation_id for one in opened],
        "subjects": [one.subject_id for one in opened],
        "accounts": [one.account_id for one in opened],
        "territories": [one.territory_id for one in opened],
        "reps": [one.rep_id for one in opened],
        "starts": [one.started_at for one in opened],
        "deadlines": [one.due_at for one in opened],
    }


async def _set_timers(clock: Schedule, obligations: Sequence[UUID], uow: UnitOfWork) -> None:
    await uow.connection.execute(
        _SET_TIMERS,
        {
            "obligations": obligations,
            "loops": [timer.loop for timer in clock.timers],
            "steps": [timer.step for timer in clock.timers],
            "actions": [timer.action.value for timer in clock.timers],
            "moments": [timer.due_at for timer in clock.timers],
        },
    )
