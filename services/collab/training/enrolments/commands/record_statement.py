"""A learning system tells how somebody did in a course; telling it again changes nothing."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from services.collab.training.certifications.validity import Withheld
from services.collab.training.enrolments.commands.progress import lock_enrolment, settle
from services.collab.training.enrolments.enrolment import Satisfied
from services.collab.training.enrolments.queries import StatementRow, find_statement
from services.collab.training.enrolments.refusals import StatementConflict, UnknownCourse
from services.collab.training.refusals import DayAhead
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork

_KNOWN = text("""
SELECT enrolment_id, course_code, score, completed_on FROM training_statements WHERE statement_id = :statement
""")
_RECORD = text("""
INSERT INTO training_statements (statement_id, enrolment_id, course_code, score, passed, completed_on,
    recorded_at, recorded_by, award_withheld)
VALUES (:statement, :enrolment, :course, :score, :passed, :completed_on, :now, :actor, :withheld)
ON CONFLICT (statement_id) DO NOTHING RETURNING statement_id
""")


@dataclass(frozen=True, slots=True)
class RecordStatement:
    """What was told, under an id that the teller chose."""

    statement_id: UUID
    enrolment_id: UUID
    course_code: str
    score: Decimal
    completed_on: date
    scope: Scope


async def record_statement(command: RecordStatement, uow: UnitOfWork) -> StatementRow:
    """Record a statement once; a pass of the last course completes the enrolment and grants.

    Raises NotFound, UnknownCourse, DayAhead or StatementConflict.
    """
    held = await lock_enrolment(command.enrolment_id, uow, scope=command.scope)
    if not await _is_known(command, uow):
        course = held.programme.course(command.course_code)
        if course is None:
            raise UnknownCourse(
                "course_code: the programme has no such course in the version of the enrolment."
            )
        if command.completed_on > uow.now.date():
            raise DayAhead("completed_on: lies ahead; tell it once it has happened.")
        passed = course.is_passed_with(command.score)
        withheld: Withheld | None = None
        if passed:
            item = Satisfied(course.code, command.completed_on, command.statement_id)
            withheld = await settle(held, held.progress.satisfy(item), uow)
        await _record(command, uow, passed=passed, withheld=withheld)
    return await find_statement(
        uow.connection, command.statement_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )


async def _is_known(command: RecordStatement, uow: UnitOfWork) -> bool:
    row = (await uow.connection.execute(_KNOWN, {"statement": command.statement_id})).one_or_none()
    if row is None:
        return False
    told = (command.enrolment_id, command.course_code, command.score, command.completed_on)
    if tuple(row) != told:
        names = ("enrolment_id", "course_code", "score", "completed_on")
        other = [name for name, old, new in zip(names, row, told, strict=True) if old != new]
        raise StatementConflict(
            f"{', '.join(other)}: the statement was told differently before; void it and tell a new one."
        )
    return True


async def _record(
    command: RecordStatement, uow: UnitOfWork, *, passed: bool, withheld: Withheld | None
) -> None:
    recorded = await uow.connection.execute(
        _RECORD,
        {
            "statement": command.statement_id,
            "enrolment": command.enrolment_id,
            "course": command.course_code,
            "score": command.score,
            "passed": passed,
            "completed_on": command.completed_on,
            "now": uow.now,
            "actor": uow.actor,
            "withheld": withheld,
        },
    )
    if recorded.one_or_none() is None:
        raise StatementConflict("statement_id: told of another enrolment just now; choose another id.")
