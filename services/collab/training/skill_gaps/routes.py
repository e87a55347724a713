"""Skill requirements and skill gaps over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.training.skill_gaps import queries
from services.collab.training.skill_gaps.commands import RequireSkills, require_skills
from services.collab.training.skill_gaps.schemas import (
    IndustryInPath,
    SkillGapsView,
    SkillRequirementBody,
    SkillRequirementView,
    TerritorySkillsView,
)
from shared.http.bodies import Day
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import VersionIfSent, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Today
from shared.http.problems import describe
from shared.http.security import Admin, Reader

router = APIRouter(tags=["training"])


@router.get("/v1/skill-requirements")
async def list_skill_requirements(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[SkillRequirementView]:
    """List which industries ask for which certifications."""
    rows = await queries.list_requirements(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.requirement_id)
    return Page(items=[SkillRequirementView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/v1/skill-requirements/{industry}")
async def get_skill_requirement(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    industry: IndustryInPath,
    response: Response,
) -> SkillRequirementView:
    """Return what one industry asks for."""
    found = await queries.find_requirement(read, industry)
    response.headers["etag"] = etag_of(found.version)
    return SkillRequirementView.model_validate(found)


@router.put("/v1/skill-requirements/{industry}", response_model=SkillRequirementView, responses=describe(428))
async def put_skill_requirement(
    by: Admin, run: RunCommand, industry: IndustryInPath, version: VersionIfSent, body: SkillRequirementBody
) -> Response:
    """Lay down what an industry asks for; replacing what was laid down needs its ETag."""
    return await run.run(
        require_skills,
        RequireSkills(industry, body.certification_codes, version),
        by=by,
        show=SkillRequirementView.model_validate,
        version=lambda row: row.version,
    )


@router.get("/v1/territories/{territory_id}/skill-gaps")
async def list_skill_gaps(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    today: Today,
    territory_id: UUID,
    on: Annotated[Day | None, Query(description="Who is certified on this day; today when left out.")] = None,
) -> SkillGapsView:
    """Compare what accounts ask for with what reps hold, territory by territory of a subtree in your scope."""
    day = on or today
    rows = await queries.list_territory_needs(
        read, territory_id, on=day, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.territory_id)
    return SkillGapsView(items=[TerritorySkillsView.of(item) for item in items], next_cursor=cursor, on=day)
