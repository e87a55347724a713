"""Coverages over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.reps.coverages import queries
from services.assignment.reps.coverages.commands.end_coverage import EndCoverage, end_coverage
from services.assignment.reps.coverages.commands.start_coverage import StartCoverage, start_coverage
from services.assignment.reps.coverages.coverage import Role
from services.assignment.reps.coverages.schemas import CoverageView, EndCoverageBody, StartCoverageBody
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(prefix="/v1/coverages", tags=["coverages"])


@router.post("", status_code=201, response_model=CoverageView, responses=describe(404, 409))
async def create_coverage(by: Manager, run: RunCommand, body: StartCoverageBody) -> Response:
    """Have a rep cover a territory in a role; a rep who has it alone hands it over at the same instant."""
    command = StartCoverage(
        territory_id=body.territory_id,
        rep_id=body.rep_id,
        role=Role(body.role),
        share_percent=body.share_percent,
        valid_from=body.valid_from,
        valid_to=body.valid_to,
        holdover=body.holdover(),
        scope=by.scope,
    )
    return await run.run(
        start_coverage,
        command,
        by=by,
        show=CoverageView.model_validate,
        status=201,
        location=lambda coverage: f"/v1/coverages/{coverage.coverage_id}",
    )


@router.post("/{coverage_id}/endings", response_model=CoverageView, responses=describe(404, 409))
async def create_ending(
    by: Manager, run: RunCommand, coverage_id: UUID, body: EndCoverageBody | None = None
) -> Response:
    """End a coverage, now or ahead, with nobody taking over."""
    valid_to = None if body is None else body.valid_to
    return await run.run(
        end_coverage, EndCoverage(coverage_id, valid_to, by.scope), by=by, show=CoverageView.model_validate
    )


@router.get("")
async def list_coverages(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only of this territory.")] = None,
    rep_id: Annotated[UUID | None, Query(description="Only of this rep.")] = None,
    running: Annotated[bool | None, Query(description="Only those that last, or only past ones.")] = None,
) -> Page[CoverageView]:
    """List coverages of territories in the caller's scope, by id."""
    rows = await queries.list_coverages(
        read, territory_id=territory_id, rep_id=rep_id, running=running, at=now, scope=by.scope, page=page
    )
    found, cursor = page_of(rows, page, lambda coverage: coverage.coverage_id)
    return Page(items=[CoverageView.model_validate(one) for one in found], next_cursor=cursor)


@router.get("/{coverage_id}")
async def get_coverage(by: Reader, read: Snapshot, coverage_id: UUID) -> CoverageView:
    """Return one coverage."""
    return CoverageView.model_validate(await queries.find_coverage(read, coverage_id, scope=by.scope))
