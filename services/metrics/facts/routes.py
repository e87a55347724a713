"""HTTP: facts in, and the facts behind the figures."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.metrics.facts.commands.submit_facts import SubmitFacts, submit_facts
from services.metrics.facts.queries import FactsAsked, find_fact, find_facts
from services.metrics.facts.schemas import FactDetailView, FactView, SubmitFactsBody, SubmittedView
from services.metrics.rollups.view import ViewName
from shared.http.bodies import Day
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/facts", tags=["facts"])


@router.post("", status_code=202, response_model=SubmittedView)
async def create_facts(by: Writer, run: RunCommand, body: SubmitFactsBody) -> Response:
    """Send up to 1,000 facts; each gets a status of its own.

    `accepted` facts are counted within seconds. `duplicate` was told before, `superseded` by a higher
    revision; `conflict` tells a known revision differently, so the first telling stays; `invalid` says why.
    """
    command = SubmitFacts(sent=body.facts, scope=by.scope)
    return await run.run(submit_facts, command, by=by, show=SubmittedView.of, status=202)


@router.get("", responses=describe(404))
async def list_facts(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    account_id: UUID | None = None,
    territory_id: Annotated[
        UUID | None, Query(description="What counts for this territory, or below it, in the view.")
    ] = None,
    view: Annotated[ViewName, Query(description="The view that territory_id is meant in.")] = "as_is",
    first_day: Annotated[Day | None, Query(alias="from", description="First day, UTC.")] = None,
    end_day: Annotated[Day | None, Query(alias="to", description="The day after the last, UTC.")] = None,
) -> Page[FactView]:
    """List the facts behind a figure, those of accounts in the caller's scope; voided ones are left out."""
    asked = FactsAsked(account_id, territory_id, view, first_day, end_day)
    rows = await find_facts(read, asked, page, scope=by.scope)
    items, cursor = page_of(rows, page, key=lambda fact: fact.entity_key)
    return Page(items=[FactView.of(fact) for fact in items], next_cursor=cursor)


@router.get("/{entity_key}", responses=describe(404))
async def get_fact(by: Reader, read: Snapshot, entity_key: UUID) -> FactDetailView:
    """Return a fact, whom it counts for in both views, and the revisions it replaced."""
    return FactDetailView.of_origin(await find_fact(read, entity_key, scope=by.scope))
