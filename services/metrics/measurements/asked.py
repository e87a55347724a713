"""What is asked for, and the sums that are found."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.metrics.attribution.queries import Include
from services.metrics.measurements.cells import GroupBy, Window
from services.metrics.measurements.periods import Grain
from services.metrics.rollups.view import AskedView

Cells = dict[tuple[UUID | None, date | None], dict[str, dict[str, int]]]
"""Figures by key (a territory, a rep or None), period and currency."""


@dataclass(frozen=True, slots=True)
class MetricsAsked:
    """Which metrics, of whom, when, and how fine; `plan_id` is of the plan that is meant by as_planned."""

    metric_ids: tuple[str, ...]
    view: AskedView
    first_day: date
    end_day: date
    territory_id: UUID | None
    include: Include
    rep_id: UUID | None
    group_by: GroupBy
    grain: Grain
    lag_days: int
    window: Window
    plan_id: UUID | None = None
