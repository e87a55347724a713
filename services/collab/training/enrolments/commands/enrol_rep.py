"""Enrolling a rep by hand, whatever the programme's rule says; again, once another pass would earn something."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from services.collab.training.awards.commands.write_award import Holder, lock_held
from services.collab.training.certifications.queries import find_certification
from services.collab.training.certifications.validity import Withheld, earn
from services.collab.training.enrolments.enrolment import EnrolmentState
from services.collab.training.enrolments.queries import EnrolmentRow, find_enrolment
from services.collab.training.enrolments.refusals import AlreadyEnrolled
from services.collab.training.programmes.programme import ProgrammeVersion
from services.collab.training.programmes.queries import find_programme
from services.collab.training.visibility import require_rep
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_ENROL = text("""
INSERT INTO enrolments (enrolment_id, programme_id, programme_version, rep_id, cause, state, enrolled_at,
    enrolled_by, due_on)
VALUES (:enrolment, :programme, :version, :rep, 'manual', 'open', :now, :actor, :due_on)
ON CONFLICT DO NOTHING RETURNING enrolment_id
""")
_FORMER = text("""
SELECT enrolment_id, state FROM enrolments WHERE programme_id = :programme AND rep_id = :rep
ORDER BY state = 'open' DESC, enrolment_id DESC LIMIT 1
""")


@dataclass(frozen=True, slots=True)
class EnrolRep:
    """Enrol a rep in the latest version of a programme."""

    programme_id: UUID
    rep_id: UUID
    scope: Scope


async def enrol_rep(command: EnrolRep, uow: UnitOfWork) -> EnrolmentRow:
    """Enrol a rep. Raises NotFound or AlreadyEnrolled."""
    await require_rep(uow.connection, command.rep_id, scope=command.scope, at=uow.now)
    programme = await find_programme(uow.connection, command.programme_id)
    await _require_reason(command, programme.content, uow)
    enrolment_id = new_id()
    binds = {
        "enrolment": enrolment_id,
        "programme": programme.programme_id,
        "version": programme.version,
        "rep": command.rep_id,
        "now": uow.now,
        "actor": uow.actor,
        "due_on": uow.now.date() + timedelta(days=programme.content.due_days),
    }
    if (await uow.connection.execute(_ENROL, binds)).one_or_none() is None:
        raise AlreadyEnrolled(
            "rep_id: the rep was enrolled in this programme just now; look at GET /v1/enrolments."
        )
    return await find_enrolment(
        uow.connection, enrolment_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )


async def _require_reason(command: EnrolRep, programme: ProgrammeVersion, uow: UnitOfWork) -> None:
    binds = {"programme": command.programme_id, "rep": command.rep_id}
    former = (await uow.connection.execute(_FORMER, binds)).one_or_none()
    if former is None:
        return
    if former.state == EnrolmentState.OPEN:
        raise AlreadyEnrolled(
            f"rep_id: the rep is enrolled in this programme; tell how they do in enrolment {former.enrolment_id}."
        )
    if programme.grants is None:
        raise AlreadyEnrolled(
            "rep_id: the rep completed this programme; it grants nothing that could be renewed."
        )
    terms = (await find_certification(uow.connection, programme.grants)).terms
    held = await lock_held(Holder(command.rep_id, programme.grants), uow)
    if isinstance(earn(uow.now.date(), terms, held), Withheld):
        raise AlreadyEnrolled(
            f"rep_id: the rep completed this programme and holds {programme.grants}; enrol them again in its renewal "
            "window, or once they hold it no more."
        )
