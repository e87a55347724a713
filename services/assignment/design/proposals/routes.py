"""Proposals over HTTP: read, accepted."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.design.proposals import queries
from services.assignment.design.proposals.acceptance_schemas import AcceptanceBody, AcceptanceView
from services.assignment.design.proposals.account_schemas import ProposedAccountView
from services.assignment.design.proposals.commands.accept_proposal import AcceptProposal, accept_proposal
from services.assignment.design.proposals.schemas import ProposalView
from services.assignment.design.runs.routes import WholeReader
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Planner

router = APIRouter(tags=["design"])


@router.get("/v1/design-runs/{run_id}/proposal", responses=describe(409))
async def get_proposal(_: WholeReader, read: Snapshot, response: Response, run_id: UUID) -> ProposalView:
    """Return what a run proposes, territory by territory, with the bound on plans around the same middles.

    The ETag is its edit version: what edits by hand want in If-Match.
    """
    found = await queries.find_proposal(read, run_id)
    response.headers["etag"] = etag_of(found.totals.edit_version)
    return ProposalView.of(found)


@router.get("/v1/design-runs/{run_id}/proposal/accounts", responses=describe(409))
async def list_proposed_accounts(
    _: WholeReader,
    read: Snapshot,
    page: PageParameters,
    run_id: UUID,
    territory_id: Annotated[
        UUID | None, Query(description="Only accounts that go there or come from there.")
    ] = None,
    moved: Annotated[
        bool | None, Query(description="Only those that would change territory, or would not.")
    ] = None,
) -> Page[ProposedAccountView]:
    """List where each account would go, from where, and why, by account."""
    await queries.find_proposing(read, run_id)
    if territory_id is not None:
        await queries.check_proposed_territory(read, run_id, territory_id)
    rows = await queries.list_proposed_accounts(
        read, run_id, territory_id=territory_id, moved=moved, page=page
    )
    items, cursor = page_of(rows, page, lambda one: one.account_id)
    return Page(items=[ProposedAccountView.of(one) for one in items], next_cursor=cursor)


@router.post(
    "/v1/design-runs/{run_id}/acceptances",
    status_code=201,
    response_model=AcceptanceView,
    responses=describe(404, 409),
)
async def create_acceptance(
    by: Planner, run: RunCommand, run_id: UUID, version: ExpectedVersion, body: AcceptanceBody
) -> Response:
    """Take a proposal over into its draft, wholly or for single territories; If-Match is the draft's version.

    Accounts are placed: ahead of rules, behind pins. Nothing moves until the plan goes live.
    """
    wanted = None if body.territory_ids is None else frozenset(body.territory_ids)
    return await run.run(
        accept_proposal,
        AcceptProposal(run_id, version, wanted, body.edit_version),
        by=by,
        show=AcceptanceView.of,
        status=201,
        version=lambda accepted: accepted.plan_version,
    )
