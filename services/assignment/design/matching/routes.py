"""Matchings of reps and proposed territories over HTTP: made on each request; nothing is stored."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from services.assignment.design.matching import queries
from services.assignment.design.matching.own_process import matched
from services.assignment.design.matching.schemas import MatchingQuery, MatchingView
from services.assignment.design.matching.turns import MatchingTurn
from services.assignment.design.runs.routes import WholeReader
from shared.db.engine import begin_snapshot
from shared.http.commands import get_parts
from shared.http.present import Now
from shared.http.problems import describe

router = APIRouter(tags=["design"])


@router.get("/v1/design-runs/{run_id}/rep-matching", responses=describe(404, 409, 503))
async def get_rep_matching(
    _: WholeReader,
    __: MatchingTurn,
    request: Request,
    now: Now,
    run_id: UUID,
    query: Annotated[MatchingQuery, Query()],
) -> MatchingView:
    """Tell which rep should get which proposed territory, and what that saves against the names as they are.

    Nothing changes: let coverages start and end as you decide. Reps are those who cover the run's territories as
    primary now; whom they have today is told by who covers each account's territory of the day the run was made.
    """
    async with get_parts(request).engine.connect() as read:
        await begin_snapshot(read)
        run, question = await queries.read_question(
            read, run_id, currency=query.currency, relocation_weight=query.relocation_weight, at=now
        )
    # Without a connection: the process takes a second to begin.
    return MatchingView.of(run, query, question, await matched(question))
