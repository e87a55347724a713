"""Awards over HTTP: who is certified for what, on which days."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.training.awards import queries
from services.collab.training.awards.commands.grant_award import GrantAward, grant_award
from services.collab.training.awards.commands.revoke_award import RevokeAward, revoke_award
from services.collab.training.awards.queries import AwardFilter
from services.collab.training.awards.schemas import (
    AwardView,
    CohortsView,
    CohortView,
    NewAwardBody,
    ReasonBody,
)
from services.collab.training.certifications.queries import find_certification
from services.collab.training.certifications.schemas import Code, CodeInPath
from shared.http.bodies import Day
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(tags=["certifications"])


@router.post("/v1/awards", status_code=201, response_model=AwardView, responses=describe(404, 409))
async def create_award(by: Manager, run: RunCommand, body: NewAwardBody) -> Response:
    """Certify a rep by hand, for what they brought along; a passed programme grants by itself."""
    command = GrantAward(body.rep_id, body.certification_code, body.valid_from, by.scope)
    return await run.run(
        grant_award,
        command,
        by=by,
        show=AwardView.model_validate,
        status=201,
        location=lambda award: f"/v1/awards/{award.award_id}",
    )


@router.get("/v1/awards")
async def list_awards(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    now: Now,
    rep_id: UUID | None = None,
    certification_code: Code | None = None,
    valid_on: Annotated[Day | None, Query(description="Only those that count on this day.")] = None,
) -> Page[AwardView]:
    """List the awards of reps who cover a territory in your scope, and your own, in the order of granting."""
    rows = await queries.list_awards(
        read,
        AwardFilter(rep_id, certification_code, valid_on),
        viewer=by.subject,
        scope=by.scope,
        at=now,
        after=page.after,
        limit=page.limit + 1,
    )
    items, cursor = page_of(rows, page, lambda row: row.award_id)
    return Page(items=[AwardView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/v1/awards/{award_id}")
async def get_award(by: Reader, read: Snapshot, now: Now, award_id: UUID) -> AwardView:
    """Return one award, in the state it is in today."""
    found = await queries.find_award(read, award_id, viewer=by.subject, scope=by.scope, at=now)
    return AwardView.model_validate(found)


@router.post("/v1/awards/{award_id}/revocations", response_model=AwardView, responses=describe(404, 409))
async def create_award_revocation(by: Manager, run: RunCommand, award_id: UUID, body: ReasonBody) -> Response:
    """Take a certification away from today on."""
    command = RevokeAward(award_id, body.reason, by.scope)
    return await run.run(revoke_award, command, by=by, show=AwardView.model_validate)


@router.get("/v1/certifications/{certification_code}/cohorts")
async def list_cohorts(
    by: Reader,
    read: Snapshot,
    now: Now,
    certification_code: CodeInPath,
    since: Annotated[Day | None, Query(description="First certified on this day or later.")] = None,
    until: Annotated[Day | None, Query(description="First certified before this day.")] = None,
) -> CohortsView:
    """Group the reps in your scope by the month in which they were first certified."""
    await find_certification(read, certification_code)
    rows = await queries.list_cohorts(
        read,
        certification_code,
        since=since,
        until=until,
        viewer=by.subject,
        scope=by.scope,
        at=now,
    )
    return CohortsView(
        certification_code=certification_code, items=[CohortView.model_validate(row) for row in rows]
    )
