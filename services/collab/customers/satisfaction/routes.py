"""Satisfaction of customers over HTTP: answers in, figures by territory out."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.collab.customers.satisfaction import queries
from services.collab.customers.satisfaction.commands import RecordScores, record_scores
from services.collab.customers.satisfaction.schemas import (
    NewScoresBody,
    ScoresReportView,
    TerritorySatisfactionView,
)
from shared.http.bodies import Instant
from shared.http.commands import RunCommand, Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1", tags=["customers"])


@router.post(
    "/accounts/{account_id}/satisfaction-scores", response_model=ScoresReportView, responses=describe(404)
)
async def create_satisfaction_scores(
    by: Writer, run: RunCommand, account_id: UUID, body: NewScoresBody
) -> Response:
    """Send up to 500 answers of a customer; each gets a status of its own.

    `recorded` counts from now on; `duplicate` was told before; `conflict` tells a known external id
    differently, so the first telling stays; `invalid` says why. What is invalid costs nothing but itself.
    """
    command = RecordScores(account_id, by.scope, body.scores)
    return await run.run(record_scores, command, by=by, show=ScoresReportView.of)


@router.get("/satisfaction-figures", responses=describe(404))
async def list_satisfaction_figures(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    territory_id: Annotated[UUID | None, Query(description="Only this territory.")] = None,
    since: Annotated[Instant | None, Query(alias="from", description="Answers from this instant on.")] = None,
    until: Annotated[Instant | None, Query(alias="to", description="Answers before this instant.")] = None,
) -> Page[TerritorySatisfactionView]:
    """List NPS and CSAT by territory, each with everything below it, in your scope.

    Every answer counts, for the territory its account is in now.
    """
    rows = await queries.list_figures(
        read,
        territory_id=territory_id,
        since=since,
        until=until,
        scope=by.scope,
        after=page.after,
        limit=page.limit + 1,
    )
    items, cursor = page_of(rows, page, lambda row: row.territory_id)
    return Page(items=[TerritorySatisfactionView.model_validate(item) for item in items], next_cursor=cursor)
