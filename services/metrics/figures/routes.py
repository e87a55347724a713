"""HTTP: figures of territories."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from services.metrics.attribution.queries import Include
from services.metrics.figures.queries import FiguresAsked, Grain, find_figures
from services.metrics.figures.refusals import EmptyPeriod
from services.metrics.figures.schemas import FiguresView
from services.metrics.rollups.view import ViewName
from shared.http.bodies import Day
from shared.http.commands import Snapshot
from shared.http.problems import describe
from shared.http.security import Reader

router = APIRouter(prefix="/v1/figures", tags=["figures"])


@router.get("", responses=describe(404))
async def get_figures(
    by: Reader,
    read: Snapshot,
    view: Annotated[ViewName, Query(description="As credited when it happened, or to today's holder.")],
    first_day: Annotated[Day, Query(alias="from", description="First day, UTC.")],
    end_day: Annotated[Day, Query(alias="to", description="The day after the last, UTC.")],
    territory_id: Annotated[UUID | None, Query(description="Without it: all in scope.")] = None,
    include: Annotated[
        Include, Query(description="With a territory: it alone, with its children, or with all below it.")
    ] = "self",
    grain: Annotated[Grain, Query(description="One row for the period, or one per month or day.")] = "total",
) -> FiguresView:
    """Return revenue, orders, leads, opportunities and spend of territories, exact to the minor unit.

    Every row includes what lies below its territory. As it was and as it is now add up to the same totals.
    """
    if end_day <= first_day:
        raise EmptyPeriod("to: the period is half-open, so `to` lies after `from`.")
    asked = FiguresAsked(view, first_day, end_day, territory_id, include, grain)
    return FiguresView.of(await find_figures(read, asked, scope=by.scope))
