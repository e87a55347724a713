"""Balances of plans over HTTP: computed on each request; nothing is stored."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.alignments.balances import queries
from services.assignment.alignments.balances.schemas import PlanBalanceView
from services.assignment.alignments.diffs.turns import Turn
from shared.http.commands import Snapshot
from shared.http.etags import etag_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Reader

router = APIRouter(prefix="/v1/plans/{plan_id}", tags=["diffs"])


@router.get("/balance", responses=describe(409))
async def get_balance(
    by: Reader,
    _: Turn,
    read: Snapshot,
    now: Now,
    response: Response,
    plan_id: UUID,
    potential_estimate_id: Annotated[
        UUID | None, Query(description="Balance the potential of this completed estimate, too.")
    ] = None,
) -> PlanBalanceView:
    """Tell how fairly the plan would spread accounts, market, money and travel, and what that would move."""
    balance = await queries.balance_plan(
        read, plan_id, at=now, estimate_id=potential_estimate_id, scope=by.scope
    )
    response.headers["etag"] = etag_of(balance.version)
    return PlanBalanceView.of(balance)
