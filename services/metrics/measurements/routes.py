"""HTTP: metrics of territories and reps."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from services.metrics.figures.refusals import EmptyPeriod
from services.metrics.measurements.queries import find_metrics
from services.metrics.measurements.refusals import PeriodOutOfRange
from services.metrics.measurements.schemas import MetricsQuery, MetricsView
from shared.http.commands import Snapshot
from shared.http.problems import describe
from shared.http.security import Reader

FIRST_DAY, END_DAY = date(1990, 1, 1), date(2200, 1, 1)

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])


@router.get("", responses=describe(404))
async def list_metrics(by: Reader, read: Snapshot, query: Annotated[MetricsQuery, Query()]) -> MetricsView:
    """Return metrics, each with its numerator and denominator where it is a ratio.

    A row of a territory includes what lies below it. As it was and as it is have the same totals.
    """
    if query.end_day <= query.first_day:
        raise EmptyPeriod("to: the period is half-open, so `to` lies after `from`.")
    if query.first_day < FIRST_DAY or query.end_day > END_DAY:
        raise PeriodOutOfRange(f"from, to: facts are kept from {FIRST_DAY} to {END_DAY}; ask within.")
    asked = query.asked()
    return MetricsView.of(await find_metrics(read, asked, scope=by.scope), asked)
