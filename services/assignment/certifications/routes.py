"""Required certifications, and who covers without them, over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.certifications import commands, queries
from services.assignment.certifications.commands import RequireCertifications
from services.assignment.certifications.schemas import (
    IneligibleCoveragesView,
    RequiredCertificationsBody,
    RequiredCertificationsView,
    by_coverage,
)
from services.assignment.plans.revisions import PlanRead, ReviseDraft
from services.assignment.territories.queries import find_territory
from shared.http.bodies import Day
from shared.http.commands import Snapshot
from shared.http.pagination import PageParameters, page_of
from shared.http.present import Today
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(tags=["certifications"])
_PATH = "/v1/plans/{plan_id}/territories/{territory_id}/required-certifications"


@router.get(_PATH)
async def get_required_certifications(
    by: Reader, read: Snapshot, plan: PlanRead, territory_id: UUID
) -> RequiredCertificationsView:
    """Return what a territory requires of who covers it, with the plan's version as the ETag."""
    await find_territory(read, plan.plan_id, territory_id, scope=by.scope)
    found = await queries.find_required(read, plan.plan_id, territory_id)
    return RequiredCertificationsView.model_validate(found)


@router.put(_PATH, response_model=RequiredCertificationsView, responses=describe(409))
async def put_required_certifications(
    by: Manager, revision: ReviseDraft, territory_id: UUID, body: RequiredCertificationsBody
) -> Response:
    """Say in a draft what who covers a territory, or one below it, has to hold; an empty list for nothing."""
    command = RequireCertifications(revision.draft, territory_id, body.certification_codes, by.scope)
    return await revision.run(
        commands.require_certifications,
        command,
        by=by,
        show=lambda revised: RequiredCertificationsView.model_validate(revised.required),
    )


@router.get("/v1/ineligible-coverages")
async def list_ineligible_coverages(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    today: Today,
    on: Annotated[Day | None, Query(description="On this day; today when left out.")] = None,
    territory_id: Annotated[UUID | None, Query(description="Only in this territory's subtree.")] = None,
    plan_id: Annotated[
        UUID | None, Query(description="By what this plan requires; the live one when left out.")
    ] = None,
) -> IneligibleCoveragesView:
    """List who covers a territory in your scope without what the live plan, or another, requires on a day."""
    day = on or today
    findings = await queries.list_ineligible(
        read,
        plan_id=plan_id,
        on=day,
        territory_id=territory_id,
        scope=by.scope,
        after=page.after,
        rows=page.limit + 1,
    )
    items, cursor = page_of(by_coverage(findings), page, lambda item: item.coverage_id)
    return IneligibleCoveragesView(items=items, next_cursor=cursor, on=day)
