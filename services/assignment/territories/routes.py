"""The territories of plans over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.plans.revisions import PlanRead, ReviseDraft
from services.assignment.territories import queries
from services.assignment.territories.commands.remove_territory import RemoveTerritory, remove_territory
from services.assignment.territories.commands.replace_tree import ReplaceTree, replace_tree
from services.assignment.territories.commands.set_territory import SetTerritory, set_territory
from services.assignment.territories.schemas import TerritoryBody, TerritoryView, TreeBody, TreeView
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Manager, Planner, Reader

router = APIRouter(prefix="/v1/plans/{plan_id}/territories", tags=["territories"])


@router.put("", response_model=TreeView, responses=describe(409))
async def put_territories(by: Planner, revision: ReviseDraft, body: TreeBody) -> Response:
    """Replace a draft's whole tree. Ids that stay keep their rules; an id with rules, pins or placements cannot go."""
    territories = tuple(node.listed() for node in body.territories)
    return await revision.run(
        replace_tree,
        ReplaceTree(revision.draft, territories),
        by=by,
        show=lambda revised: TreeView(
            plan_id=revision.draft.plan_id,
            version=revised.version,
            territories=[TerritoryView.model_validate(node) for node in revised.tree.territories],
        ),
    )


@router.get("")
async def list_territories(
    by: Reader, plan: PlanRead, read: Snapshot, page: PageParameters
) -> Page[TerritoryView]:
    """List the plan's territories within the caller's scope, by id."""
    rows = await queries.list_territories(read, plan.plan_id, scope=by.scope, page=page)
    found, cursor = page_of(rows, page, lambda node: node.territory_id)
    return Page(items=[TerritoryView.model_validate(node) for node in found], next_cursor=cursor)


@router.get("/{territory_id}")
async def get_territory(by: Reader, plan: PlanRead, read: Snapshot, territory_id: UUID) -> TerritoryView:
    """Return one territory; the ETag is the plan's, since the tree changes as a whole."""
    territory = await queries.find_territory(read, plan.plan_id, territory_id, scope=by.scope)
    return TerritoryView.model_validate(territory)


@router.put("/{territory_id}", response_model=TerritoryView, responses=describe(409))
async def put_territory(
    by: Manager, revision: ReviseDraft, territory_id: UUID, body: TerritoryBody
) -> Response:
    """Add or change one territory of a draft, anywhere within the caller's scope."""
    territory = body.named(territory_id)
    return await revision.run(
        set_territory,
        SetTerritory(revision.draft, territory, by.scope),
        by=by,
        show=lambda _: TerritoryView.model_validate(territory),
    )


@router.delete("/{territory_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_territory(by: Manager, revision: ReviseDraft, territory_id: UUID) -> Response:
    """Take a territory out of a draft; it must have neither children nor rules, pins or placements."""
    command = RemoveTerritory(revision.draft, territory_id, by.scope)
    return await revision.run(remove_territory, command, by=by, show=lambda _: None, status=204)
