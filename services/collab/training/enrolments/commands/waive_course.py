"""A course is let off: it counts as satisfied, and who decided that and why stays on record."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.training.enrolments.commands.progress import lock_enrolment, settle
from services.collab.training.enrolments.enrolment import Satisfied
from services.collab.training.enrolments.queries import EnrolmentRow, find_enrolment
from services.collab.training.enrolments.refusals import CourseSatisfied, UnknownCourse
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork

_WAIVE = text("""
INSERT INTO course_waivers (enrolment_id, course_code, reason, waived_on, waived_at, waived_by)
VALUES (:enrolment, :course, :reason, :today, :now, :actor)
""")


@dataclass(frozen=True, slots=True)
class WaiveCourse:
    """Let a rep off a course, and say why."""

    enrolment_id: UUID
    course_code: str
    reason: str
    scope: Scope
    expected_version: int | None


async def waive_course(command: WaiveCourse, uow: UnitOfWork) -> EnrolmentRow:
    """Waive a course; waiving the last open one completes the enrolment and grants.

    Raises NotFound, VersionMismatch, UnknownCourse or CourseSatisfied.
    """
    held = await lock_enrolment(
        command.enrolment_id, uow, scope=command.scope, expected_version=command.expected_version
    )
    if held.programme.course(command.course_code) is None:
        raise UnknownCourse("course_code: the programme has no such course in the version of the enrolment.")
    if command.course_code not in held.progress.open_courses:
        raise CourseSatisfied("course_code: the course is passed or waived already.")
    today = uow.now.date()
    binds = {"enrolment": command.enrolment_id, "course": command.course_code, "reason": command.reason}
    await uow.connection.execute(_WAIVE, {**binds, "today": today, "now": uow.now, "actor": uow.actor})
    await settle(held, held.progress.satisfy(Satisfied(command.course_code, today)), uow)
    return await find_enrolment(
        uow.connection, command.enrolment_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )
