"""Reading enrolments of the reps a caller may see, with what was told of their courses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.training.enrolments.enrolment import EnrolmentState
from services.collab.training.visibility import rep_visible
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class CourseRow:
    """How a course of an enrolment stands."""

    course_code: str
    title: str
    mastery_score: Decimal
    passed_on: date | None
    waived_on: date | None
    waived_by: str | None
    waiver_reason: str | None


@dataclass(frozen=True, slots=True)
class EnrolmentRow:
    """An enrolment as readers see it."""

    enrolment_id: UUID
    programme_id: UUID
    programme_version: int
    rep_id: UUID
    cause: str
    territory_id: UUID | None
    renews_award_id: UUID | None
    state: EnrolmentState
    version: int
    enrolled_at: datetime
    enrolled_by: str
    due_on: date
    completed_on: date | None
    award_id: UUID | None
    award_withheld: str | None
    courses: Sequence[CourseRow] = ()


@dataclass(frozen=True, slots=True)
class StatementRow:
    """What was told of a course."""

    statement_id: UUID
    enrolment_id: UUID
    course_code: str
    score: Decimal
    passed: bool
    completed_on: date
    recorded_at: datetime
    recorded_by: str
    voided_at: datetime | None
    voided_by: str | None
    void_reason: str | None
    award_withheld: str | None


@dataclass(frozen=True, slots=True)
class EnrolmentFilter:
    """Which enrolments to list."""

    rep_id: UUID | None = None
    programme_id: UUID | None = None
    state: EnrolmentState | None = None


_SELECT = f"""
SELECT e.enrolment_id, e.programme_id, e.programme_version, e.rep_id, e.cause, e.territory_id,
    e.renews_award_id, e.state, e.version, e.enrolled_at, e.enrolled_by, e.due_on, e.completed_on,
    (SELECT w.award_id FROM awards AS w WHERE w.enrolment_id = e.enrolment_id
        AND w.valid_from < w.valid_to ORDER BY w.award_id DESC LIMIT 1) AS award_id,
    e.award_withheld
FROM enrolments AS e WHERE {rep_visible("e.rep_id")}
"""
_FIND = text(f"{_SELECT} AND e.enrolment_id = :enrolment")
_LIST = text(f"""{_SELECT}
  AND (CAST(:rep AS uuid) IS NULL OR e.rep_id = :rep)
  AND (CAST(:programme AS uuid) IS NULL OR e.programme_id = :programme)
  AND (CAST(:state AS text) IS NULL OR e.state = :state)
  AND (CAST(:after AS uuid) IS NULL OR e.enrolment_id > :after)
ORDER BY e.enrolment_id LIMIT :limit
""")
_COURSES = text("""
SELECT e.enrolment_id, c.code AS course_code, c.title, CAST(c.mastery_score AS numeric) AS mastery_score,
    (SELECT min(s.completed_on) FROM training_statements AS s
        WHERE s.enrolment_id = e.enrolment_id AND s.course_code = c.code AND s.passed AND s.voided_at IS NULL
    ) AS passed_on,
    w.waived_on, w.waived_by, w.reason AS waiver_reason
FROM enrolments AS e
JOIN programme_versions AS v ON v.programme_id = e.programme_id AND v.version = e.programme_version
CROSS JOIN LATERAL ROWS FROM (jsonb_to_recordset(v.courses) AS (code text, title text, mastery_score text))
    WITH ORDINALITY AS c (code, title, mastery_score, position)
LEFT JOIN course_waivers AS w ON w.enrolment_id = e.enrolment_id AND w.course_code = c.code
WHERE e.enrolment_id = ANY (CAST(:enrolments AS uuid[]))
ORDER BY e.enrolment_id, c.position
""")
_STATEMENT = f"SELECT {', '.join('s.' + name for name in StatementRow.__dataclass_fields__)}"
_FIND_STATEMENT = text(f"""{_STATEMENT}
FROM training_statements AS s JOIN enrolments AS e USING (enrolment_id)
WHERE s.statement_id = :statement AND {rep_visible("e.rep_id")}
""")
_LIST_STATEMENTS = text(f"""{_STATEMENT}
FROM training_statements AS s
WHERE s.enrolment_id = :enrolment AND (CAST(:after AS uuid) IS NULL OR s.statement_id > :after)
ORDER BY s.statement_id LIMIT :limit
""")


async def find_enrolment(
    read: AsyncConnection, enrolment_id: UUID, *, viewer: str, scope: Scope, at: datetime
) -> EnrolmentRow:
    """Return one enrolment with its courses. Raises NotFound."""
    found = await read.execute(
        _FIND, {**scope.parameters(), "viewer": viewer, "at": at, "enrolment": enrolment_id}
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("enrolment_id: no such enrolment.")
    courses = await _courses(read, [enrolment_id])
    return _enrolment(row, courses)


async def list_enrolments(
    read: AsyncConnection,
    wanted: EnrolmentFilter,
    *,
    viewer: str,
    scope: Scope,
    at: datetime,
    after: UUID | None,
    limit: int,
) -> list[EnrolmentRow]:
    """Return enrolments in the order they were made."""
    binds = {"rep": wanted.rep_id, "programme": wanted.programme_id, "state": wanted.state}
    page = {"after": after, "limit": limit, "viewer": viewer, "at": at, **scope.parameters()}
    rows = (await read.execute(_LIST, {**binds, **page})).all()
    courses = await _courses(read, [row.enrolment_id for row in rows])
    return [_enrolment(row, courses) for row in rows]


async def find_statement(
    read: AsyncConnection, statement_id: UUID, *, viewer: str, scope: Scope, at: datetime
) -> StatementRow:
    """Return one statement. Raises NotFound."""
    binds = {**scope.parameters(), "viewer": viewer, "at": at, "statement": statement_id}
    row = (await read.execute(_FIND_STATEMENT, binds)).mappings().one_or_none()
    if row is None:
        raise NotFound("statement_id: no such statement.")
    return StatementRow(**row)


async def list_statements(
    read: AsyncConnection,
    enrolment_id: UUID,
    *,
    viewer: str,
    scope: Scope,
    at: datetime,
    after: UUID | None,
    limit: int,
) -> list[StatementRow]:
    """Return what was told of an enrolment, by id. Raises NotFound."""
    await find_enrolment(read, enrolment_id, viewer=viewer, scope=scope, at=at)
    binds = {"enrolment": enrolment_id, "after": after, "limit": limit}
    return [StatementRow(**row) for row in (await read.execute(_LIST_STATEMENTS, binds)).mappings()]


async def _courses(read: AsyncConnection, enrolments: Sequence[UUID]) -> dict[UUID, list[CourseRow]]:
    found: dict[UUID, list[CourseRow]] = {}
    for row in (await read.execute(_COURSES, {"enrolments": list(enrolments)})).mappings():
        values = dict(row)
        found.setdefault(values.pop("enrolment_id"), []).append(CourseRow(**values))
    return found


def _enrolment(row: Row[Any], courses: dict[UUID, list[CourseRow]]) -> EnrolmentRow:
    values = dict(zip(row._fields, row, strict=True))
    values["state"] = EnrolmentState(row.state)
    return EnrolmentRow(**values, courses=courses.get(row.enrolment_id, []))
