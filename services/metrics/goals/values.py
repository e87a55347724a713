"""The values of a goal's metric: in its period so far, and in the periods of the same length before."""

from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.goals.terms import GoalTerms
from services.metrics.measurements.asked import MetricsAsked
from services.metrics.measurements.cells import Window
from services.metrics.measurements.queries import find_metrics
from shared.db.scope import EVERYWHERE

PERIODS = 6


async def read_value(read: AsyncConnection, terms: GoalTerms) -> Decimal | None:
    """Return the value in the goal's period, as of now; None where a ratio has nothing to divide by."""
    return await _read(read, terms, terms.first_day, terms.end_day)


async def read_history(read: AsyncConnection, terms: GoalTerms, *, today: date) -> list[Decimal]:
    """Return the values of the periods before, the oldest first, from the first one with anything in it on."""
    if terms.definition is None or terms.end_day <= terms.first_day:
        return []
    length, end = terms.end_day - terms.first_day, min(terms.first_day, today)
    values: list[Decimal | None] = []
    for _ in range(PERIODS):
        if (end - date.min) <= length + timedelta(days=1):
            break
        values.insert(0, await _read(read, terms, end - length, end))
        end -= length
    while values and not values[0]:
        values.pop(0)
    return [value for value in values if value is not None]


async def _read(read: AsyncConnection, terms: GoalTerms, first_day: date, end_day: date) -> Decimal | None:
    # Who may see the goal's territory was decided when the goal was found.
    asked = MetricsAsked(
        metric_ids=(terms.metric_id,),
        view=terms.view,
        first_day=first_day,
        end_day=end_day,
        territory_id=terms.territory_id,
        include="self",
        rep_id=None,
        group_by="none",
        grain="total",
        lag_days=0,
        window=Window.MONTH,
    )
    totals = (await find_metrics(read, asked, scope=EVERYWHERE)).totals
    values = [value.value for value in totals if value.currency == terms.currency]
    found = values[0] if values else None
    return Decimal(0) if found is None and terms.adds_up else found
