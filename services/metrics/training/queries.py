"""Reading how certified reps do: who was certified when, and what reps sold month by month."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.attribution.queries import find_asked_territories
from services.metrics.definitions.definition import Definition
from services.metrics.measurements.asked import MetricsAsked
from services.metrics.measurements.cells import Window
from services.metrics.measurements.queries import definition_of, find_cells
from services.metrics.rollups.view import ViewName
from services.metrics.training.effect import Effect, effects_of, shift
from shared.db.scope import Scope

_CERTIFIED = text("""
SELECT rep_id, min(valid_from) AS certified_on FROM certifications
WHERE certification_code = :code AND (revoked_from IS NULL OR revoked_from > valid_from)
  AND (CAST(:everywhere AS boolean) OR rep_id IN (
      SELECT k.rep_id FROM coverages k WHERE k.territory_id = ANY(CAST(:territories AS uuid[]))
  ))
GROUP BY rep_id
""")


@dataclass(frozen=True, slots=True)
class EffectsAsked:
    """Which certification, by which metric, in how many months before and after; cohorts of months, half-open."""

    certification_code: str
    metric_id: str
    view: ViewName
    months: int
    first_month: date
    end_month: date


@dataclass(frozen=True, slots=True)
class EffectsFound:
    """The effects, and what the metric means."""

    definition: Definition
    effects: list[Effect]


async def find_effects(
    read: AsyncConnection, asked: EffectsAsked, *, today: date, scope: Scope
) -> EffectsFound:
    """Compare reps of the territories in scope. Raises UnknownMetric, TooManyRows."""
    definition = definition_of(asked.metric_id)
    territories = await find_asked_territories(read, territory_id=None, include="subtree", scope=scope)
    sums = await find_cells(
        read, _by_rep_and_month(asked), definition.figures, territories, None, group_by="rep", grain="month"
    )
    rows = await read.execute(
        _CERTIFIED,
        {
            "code": asked.certification_code,
            "everywhere": territories.rows is None,
            "territories": territories.rows or [],
        },
    )
    certified: dict[UUID, date] = {row.rep_id: row.certified_on for row in rows}
    effects = effects_of(
        certified,
        sums,
        months=asked.months,
        first=asked.first_month,
        end=asked.end_month,
        today=today,
    )
    return EffectsFound(definition, effects)


def _by_rep_and_month(asked: EffectsAsked) -> MetricsAsked:
    return MetricsAsked(
        metric_ids=(asked.metric_id,),
        view=asked.view,
        first_day=shift(asked.first_month, -asked.months),
        end_day=shift(asked.end_month, asked.months),
        territory_id=None,
        include="subtree",
        rep_id=None,
        group_by="rep",
        grain="month",
        lag_days=0,
        window=Window.MONTH,
    )
