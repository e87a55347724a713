"""Bodies of the metrics routes. Money is a decimal string in major units of its currency."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from services.metrics.attribution.queries import Include
from services.metrics.measurements.asked import MetricsAsked
from services.metrics.measurements.cells import GroupBy, Window
from services.metrics.measurements.measure import Value
from services.metrics.measurements.periods import Grain
from services.metrics.measurements.queries import Metrics, Row
from services.metrics.rollups.view import AskedView
from shared.contracts.money import PlainDecimal
from shared.http.bodies import Body, Day, View


class MetricsQuery(Body):
    """What is asked for in the query string."""

    metric_id: list[str] = Field(
        min_length=1, max_length=20, description="Of /v1/metric-definitions; repeat it for more."
    )
    view: AskedView = Field(
        description="As credited when it happened, to today's holder, or to whoever a plan would give the account to."
    )
    plan_id: UUID | None = Field(
        default=None, description="With as_planned: the plan, which was previewed at assignment."
    )
    first_day: Day = Field(alias="from", description="First day, UTC.")
    end_day: Day = Field(alias="to", description="The day after the last, UTC.")
    territory_id: UUID | None = Field(default=None, description="Without it: all in scope.")
    include: Include = Field(
        default="subtree",
        description=(
            "With a territory: it alone, its children too, or all below. By territory these are the rows; by rep "
            "the territories whose own facts are counted."
        ),
    )
    rep_id: UUID | None = Field(
        default=None, description="Only what the rep covered, as primary, when the day ended."
    )
    group_by: GroupBy = Field(default="none", description="One row for all, or one per territory or rep.")
    grain: Grain = Field(
        default="total", description="One row for the period, or one per calendar period in it."
    )
    lag_days: int = Field(
        default=0, ge=0, le=365, description="How long before new customers their spend lies: cac, paid-cac."
    )
    window_days: Window = Field(
        default=Window.MONTH, description="Within how many days a lead has to convert."
    )

    @model_validator(mode="after")
    def _names_the_plan(self) -> Self:
        if (self.view == "as_planned") != (self.plan_id is not None):
            raise ValueError("plan_id: name the plan with view=as_planned, and with no other view")
        return self

    def asked(self) -> MetricsAsked:
        """Return it as the query of the service."""
        told = self.model_dump(exclude={"metric_id", "window_days"})
        return MetricsAsked(metric_ids=tuple(self.metric_id), window=self.window_days, **told)


class MetricValueView(View):
    """A metric's value in a version of its definition; null comes with a reason, never as 0."""

    metric_id: str
    version: int
    currency: str | None = Field(description="Null for what is no money: counts go over all currencies.")
    value: PlainDecimal | None
    numerator: PlainDecimal | None = Field(description="Of a ratio: add these up, never the values.")
    denominator: PlainDecimal | None
    reason: str | None
    immature: int | None = Field(
        description="Of conversion: leads in the denominator whose window is still open."
    )

    @classmethod
    def of(cls, value: Value) -> Self:
        """Show a value."""
        return cls.model_validate(value)


class MetricsRow(View):
    """The values of a territory or rep in a period."""

    territory_id: UUID | None = Field(description="With group_by=territory.")
    rep_id: UUID | None = Field(description="With group_by=rep; null for what no rep covered.")
    period: date | None = Field(description="First day of the period; null with grain=total.")
    values: list[MetricValueView]

    @classmethod
    def of(cls, row: Row, group_by: GroupBy) -> Self:
        """Show a row."""
        return cls(
            territory_id=row.key if group_by == "territory" else None,
            rep_id=row.key if group_by == "rep" else None,
            period=row.period,
            values=[MetricValueView.of(value) for value in row.values],
        )


class MetricsMeta(View):
    """What the values were worked out with: the plan in force, or the one that was asked for."""

    plan_id: UUID | None
    tree_id: UUID | None
    as_of: datetime
    plan_version: int | None = Field(description="With as_planned: the plan's version that was previewed.")
    previewed_at: datetime | None = Field(
        description="With as_planned: which accounts would move is as of then, what they sold is as of now."
    )
    lag_days: int
    window_days: Window


class MetricsView(View):
    """Metrics by territory, rep and period, and over everything asked for."""

    view: AskedView
    rows: list[MetricsRow]
    totals: list[MetricValueView]
    meta: MetricsMeta

    @classmethod
    def of(cls, metrics: Metrics, asked: MetricsAsked) -> Self:
        """Show metrics."""
        return cls(
            view=asked.view,
            rows=[MetricsRow.of(row, asked.group_by) for row in metrics.rows],
            totals=[MetricValueView.of(value) for value in metrics.totals],
            meta=MetricsMeta(
                plan_id=metrics.live.plan_id,
                tree_id=metrics.live.tree_id,
                as_of=metrics.live.as_of,
                plan_version=None if metrics.planned is None else metrics.planned.plan_version,
                previewed_at=None if metrics.planned is None else metrics.planned.previewed_at,
                lag_days=asked.lag_days,
                window_days=asked.window,
            ),
        )
