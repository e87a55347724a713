"""Skill requirements and skill gaps over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.training.skill_gaps import queries
from services.collab.training.skill_gaps.commands import RequireSkills, require_skills
from services.collab.training.skill_gaps.queries import Asker, RequirementRow
from services.collab.training.skill_gaps.schemas import (
    IndustryInPath,
    NeedKindInPath,
    SkillGapsView,
    SkillRequirementBody,
    SkillRequirementView,
    TerritorySkillsView,
)
from shared.http.bodies import Day
from shared.http.commands import Commands, RunCommand, Snapshot
from shared.http.etags import VersionIfSent, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Today
from shared.http.principal import Principal
from shared.http.problems import describe
from shared.http.security import Admin, Reader

router = APIRouter(tags=["training"])


@router.get("/v1/skill-requirements")
async def list_skill_requirements(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[SkillRequirementView]:
    """List which industries and kinds of needs ask for which certifications."""
    rows = await queries.list_requirements(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.requirement_id)
    return Page(items=[SkillRequirementView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/v1/skill-requirements/industries/{industry}")
async def get_industry_skill_requirement(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    industry: IndustryInPath,
    response: Response,
) -> SkillRequirementView:
    """Return what the accounts of one industry ask for."""
    return _with_etag(await queries.find_requirement(read, Asker(industry=industry)), response)


@router.put(
    "/v1/skill-requirements/industries/{industry}",
    response_model=SkillRequirementView,
    responses=describe(428),
)
async def put_industry_skill_requirement(
    by: Admin, run: RunCommand, industry: IndustryInPath, version: VersionIfSent, body: SkillRequirementBody
) -> Response:
    """Lay down what the accounts of an industry ask for; replacing what was laid down needs its ETag."""
    return await _require(run, by, Asker(industry=industry), version, body)


@router.get("/v1/skill-requirements/need-kinds/{need_kind}")
async def get_need_skill_requirement(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    need_kind: NeedKindInPath,
    response: Response,
) -> SkillRequirementView:
    """Return what accounts with a need of this kind ask for until it is met or dropped."""
    return _with_etag(await queries.find_requirement(read, Asker(need_kind=need_kind)), response)


@router.put(
    "/v1/skill-requirements/need-kinds/{need_kind}",
    response_model=SkillRequirementView,
    responses=describe(428),
)
async def put_need_skill_requirement(
    by: Admin, run: RunCommand, need_kind: NeedKindInPath, version: VersionIfSent, body: SkillRequirementBody
) -> Response:
    """Lay down what accounts with a need of this kind ask for; replacing what was laid down needs its ETag."""
    return await _require(run, by, Asker(need_kind=need_kind), version, body)


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
    rows = await queries.list_territory_skills(
        read, territory_id, on=day, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.territory_id)
    return SkillGapsView(items=[TerritorySkillsView.of(item) for item in items], next_cursor=cursor, on=day)


async def _require(
    run: Commands, by: Principal, asker: Asker, version: int | None, body: SkillRequirementBody
) -> Response:
    return await run.run(
        require_skills,
        RequireSkills(asker, body.certification_codes, version),
        by=by,
        show=SkillRequirementView.model_validate,
        version=lambda row: row.version,
    )


def _with_etag(found: RequirementRow, response: Response) -> SkillRequirementView:
    response.headers["etag"] = etag_of(found.version)
    return SkillRequirementView.model_validate(found)
