"""Enrolments and statements over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.training.awards.schemas import ReasonBody
from services.collab.training.enrolments import queries
from services.collab.training.enrolments.commands.enrol_rep import EnrolRep, enrol_rep
from services.collab.training.enrolments.commands.record_statement import RecordStatement, record_statement
from services.collab.training.enrolments.commands.void_statement import VoidStatement, void_statement
from services.collab.training.enrolments.commands.waive_course import WaiveCourse, waive_course
from services.collab.training.enrolments.enrolment import EnrolmentState
from services.collab.training.enrolments.queries import EnrolmentFilter, EnrolmentRow
from services.collab.training.enrolments.schemas import (
    EnrolmentView,
    NewEnrolmentBody,
    StatementBody,
    StatementView,
    WaiverBody,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import VersionIfSent, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(tags=["training"])


@router.post("/v1/enrolments", status_code=201, response_model=EnrolmentView, responses=describe(404, 409))
async def create_enrolment(by: Manager, run: RunCommand, body: NewEnrolmentBody) -> Response:
    """Enrol a rep of your scope by hand, in the programme's latest version."""
    return await run.run(
        enrol_rep,
        EnrolRep(body.programme_id, body.rep_id, by.scope),
        by=by,
        show=EnrolmentView.model_validate,
        status=201,
        version=_version,
        location=lambda row: f"/v1/enrolments/{row.enrolment_id}",
    )


@router.get("/v1/enrolments")
async def list_enrolments(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    rep_id: UUID | None = None,
    programme_id: UUID | None = None,
    state: EnrolmentState | None = None,
) -> Page[EnrolmentView]:
    """List the enrolments of reps who cover a territory in your scope, and your own."""
    rows = await queries.list_enrolments(
        read,
        EnrolmentFilter(rep_id, programme_id, state),
        viewer=by.subject,
        scope=by.scope,
        at=now,
        after=page.after,
        limit=page.limit + 1,
    )
    items, cursor = page_of(rows, page, lambda row: row.enrolment_id)
    return Page(items=[EnrolmentView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/v1/enrolments/{enrolment_id}")
async def get_enrolment(
    by: Reader, read: Snapshot, now: Now, enrolment_id: UUID, response: Response
) -> EnrolmentView:
    """Return one enrolment with how each course stands."""
    found = await queries.find_enrolment(read, enrolment_id, viewer=by.subject, scope=by.scope, at=now)
    response.headers["etag"] = etag_of(found.version)
    return EnrolmentView.model_validate(found)


@router.post(
    "/v1/enrolments/{enrolment_id}/waivers",
    status_code=201,
    response_model=EnrolmentView,
    responses=describe(409),
)
async def create_waiver(
    by: Manager, run: RunCommand, enrolment_id: UUID, version: VersionIfSent, body: WaiverBody
) -> Response:
    """Let a rep off a course: it counts as passed today, and who decided it and why stays on record."""
    command = WaiveCourse(enrolment_id, body.course_code, body.reason, by.scope, version)
    return await run.run(
        waive_course, command, by=by, show=EnrolmentView.model_validate, status=201, version=_version
    )


@router.get("/v1/enrolments/{enrolment_id}/statements")
async def list_statements(
    by: Reader, read: Snapshot, now: Now, enrolment_id: UUID, page: PageParameters
) -> Page[StatementView]:
    """List everything told of an enrolment, voided statements too."""
    rows = await queries.list_statements(
        read, enrolment_id, viewer=by.subject, scope=by.scope, at=now, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.statement_id)
    return Page(items=[StatementView.model_validate(item) for item in items], next_cursor=cursor)


@router.put("/v1/statements/{statement_id}", response_model=StatementView, responses=describe(404, 409))
async def put_statement(by: Manager, run: RunCommand, statement_id: UUID, body: StatementBody) -> Response:
    """Tell how a rep did in a course, under an id of your own.

    The same again changes nothing and gets the same answer; the same id with other content is refused.
    """
    command = RecordStatement(
        statement_id=statement_id,
        enrolment_id=body.enrolment_id,
        course_code=body.course_code,
        score=body.score,
        completed_on=body.completed_on,
        scope=by.scope,
    )
    return await run.run(record_statement, command, by=by, show=StatementView.model_validate)


@router.get("/v1/statements/{statement_id}")
async def get_statement(by: Reader, read: Snapshot, now: Now, statement_id: UUID) -> StatementView:
    """Return one statement."""
    found = await queries.find_statement(read, statement_id, viewer=by.subject, scope=by.scope, at=now)
    return StatementView.model_validate(found)


@router.post(
    "/v1/statements/{statement_id}/voidings", response_model=StatementView, responses=describe(404, 409)
)
async def create_voiding(by: Manager, run: RunCommand, statement_id: UUID, body: ReasonBody) -> Response:
    """Take a statement back: a completion that rested on it goes, and what it granted."""
    command = VoidStatement(statement_id, body.reason, by.scope)
    return await run.run(void_statement, command, by=by, show=StatementView.model_validate)


def _version(row: EnrolmentRow) -> int:
    return row.version
