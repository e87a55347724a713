"""Potential estimates over HTTP: asked for here, made by the worker."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.assignment.potentials import queries
from services.assignment.potentials.commands.ask_for_estimate import AskForEstimate, ask_for_estimate
from services.assignment.potentials.schemas import (
    AccountPotentialView,
    PotentialEstimateBody,
    PotentialEstimateView,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.principal import READERS, Principal
from shared.http.problems import describe
from shared.http.security import Allow, Planner, Reader

router = APIRouter(prefix="/v1/potential-estimates", tags=["potential"])

# The figures of an estimate tell of all accounts of the organisation at once.
WholeReader = Annotated[Principal, Depends(Allow(READERS, whole_organisation=True))]


@router.post("", status_code=202, response_model=PotentialEstimateView, responses=describe(409))
async def create_potential_estimate(by: Planner, run: RunCommand, body: PotentialEstimateBody) -> Response:
    """Ask for an estimate of what prospects may be worth; the worker makes it, and `Location` says what came of it.

    A model learns from the accounts that are known and is tried, out of fold, against the median of the industry.
    It estimates only if it is better; otherwise the median does, and the answer says so.
    """
    return await run.run(
        ask_for_estimate,
        AskForEstimate(body.measure, body.currency, body.seed),
        by=by,
        show=lambda found: PotentialEstimateView.of(found, by),
        status=202,
        location=lambda found: f"/v1/potential-estimates/{found.estimate_id}",
    )


@router.get("")
async def list_potential_estimates(
    by: WholeReader, read: Snapshot, page: PageParameters
) -> Page[PotentialEstimateView]:
    """List estimates, newest first."""
    found = await queries.list_estimates(read, page=page)
    items, cursor = page_of(found, page, lambda estimate: estimate.estimate_id)
    return Page(items=[PotentialEstimateView.of(estimate, by) for estimate in items], next_cursor=cursor)


@router.get("/{estimate_id}")
async def get_potential_estimate(by: WholeReader, read: Snapshot, estimate_id: UUID) -> PotentialEstimateView:
    """Return one estimate with its error, the baseline's, and whether it beats that; or that it waits."""
    return PotentialEstimateView.of(await queries.find_estimate(read, estimate_id), by)


@router.get("/{estimate_id}/accounts", responses=describe(409))
async def list_account_potentials(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    estimate_id: UUID,
    known: Annotated[
        bool | None, Query(description="true: known accounts only; false: prospects only.")
    ] = None,
) -> Page[AccountPotentialView]:
    """List accounts of the caller's scope with what is known and what is estimated, by account."""
    await queries.find_completed(read, estimate_id)
    rows = await queries.list_account_potentials(read, estimate_id, known=known, scope=by.scope, page=page)
    items, cursor = page_of(rows, page, lambda potential: potential.account_id)
    return Page(items=[AccountPotentialView.of(potential) for potential in items], next_cursor=cursor)
