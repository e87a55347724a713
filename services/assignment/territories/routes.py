"""The territories of plans over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.plans.queries import find_plan
from services.assignment.territories import queries
from services.assignment.territories.commands import (
    PutTerritory,
    RemoveTerritory,
    ReplaceTree,
    put_territory,
    remove_territory,
    replace_tree,
)
from services.assignment.territories.schemas import TerritoryBody, TerritoryView, TreeBody, TreeView
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Manager, Planner, Reader

router = APIRouter(prefix="/v1/plans/{plan_id}/territories", tags=["territories"])


@router.put("", response_model=TreeView, responses=describe(409))
async def put_tree(
    by: Planner, run: RunCommand, plan_id: UUID, version: ExpectedVersion, body: TreeBody
) -> Response:
    """Replace a draft's whole tree. Ids that stay keep their rules; an id with rules cannot be dropped."""
    territories = tuple(node.listed() for node in body.territories)
    return await run.run(
        replace_tree,
        ReplaceTree(plan_id, version, territories),
        by=by,
        show=lambda revised: TreeView(
            plan_id=plan_id,
            version=revised.version,
            territories=[TerritoryView.model_validate(node) for node in revised.tree.territories],
        ),
        version=lambda revised: revised.version,
    )


@router.get("")
async def list_territories(
    by: Reader, read: Snapshot, page: PageParameters, response: Response, plan_id: UUID
) -> Page[TerritoryView]:
    """List the plan's territories within the caller's scope, by id."""
    plan = await find_plan(read, plan_id)
    response.headers["etag"] = etag_of(plan.version)
    rows = await queries.list_territories(read, plan_id, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda node: node.territory_id)
    return Page(items=[TerritoryView.model_validate(node) for node in found], next_cursor=cursor)


@router.get("/{territory_id}")
async def get_territory(
    by: Reader, read: Snapshot, response: Response, plan_id: UUID, territory_id: UUID
) -> TerritoryView:
    """Return one territory; the ETag is the plan's, since the tree changes as a whole."""
    plan = await find_plan(read, plan_id)
    territory = await queries.find_territory(read, plan_id, territory_id, scope=by.scope)
    response.headers["etag"] = etag_of(plan.version)
    return TerritoryView.model_validate(territory)


@router.put("/{territory_id}", response_model=TerritoryView, responses=describe(409))
async def put_one_territory(
    by: Manager,
    run: RunCommand,
    plan_id: UUID,
    territory_id: UUID,
    version: ExpectedVersion,
    body: TerritoryBody,
) -> Response:
    """Add or change one territory of a draft, anywhere within the caller's scope."""
    return await run.run(
        put_territory,
        PutTerritory(plan_id, version, body.named(territory_id), by.scope),
        by=by,
        show=lambda revised: TerritoryView.model_validate(revised.territory),
        version=lambda revised: revised.version,
    )


@router.delete("/{territory_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_territory(
    by: Manager, run: RunCommand, plan_id: UUID, territory_id: UUID, version: ExpectedVersion
) -> Response:
    """Take a territory out of a draft; it must have neither children nor rules."""
    return await run.run(
        remove_territory,
        RemoveTerritory(plan_id, version, territory_id, by.scope),
        by=by,
        show=lambda _: None,
        status=204,
        version=lambda revised: revised.version,
    )
