"""Bodies of the certification effects."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field, model_validator

from services.metrics.measurements.measure import Sums, currencies_of, measure
from services.metrics.measurements.schemas import MetricValueView
from services.metrics.rollups.view import ViewName
from services.metrics.training.effect import Group, shift
from services.metrics.training.queries import EffectsAsked, EffectsFound
from shared.http.bodies import Body, Day, View

_FIRST, _LAST = date(1990, 1, 1), date(2200, 1, 1)
_MOST_COHORTS = 36


class EffectsQuery(Body):
    """What is asked for in the query string."""

    certification_code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    metric_id: Annotated[str, Field(max_length=64, pattern="^[a-z-]+$")]
    since: Annotated[Day, Field(ge=_FIRST, le=_LAST, description="Cohorts from the month of this day on.")]
    until: Annotated[Day, Field(ge=_FIRST, le=_LAST, description="Up to and without the month of this day.")]
    months: int = Field(default=3, ge=1, le=12, description="Before and after the month of the certificate.")
    view: ViewName = "as_was"

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.since.replace(day=1) < self.until.replace(day=1):
            raise ValueError("until: lies in a month after that of since")
        if shift(self.since.replace(day=1), _MOST_COHORTS) < self.until.replace(day=1):
            raise ValueError(f"until: at most {_MOST_COHORTS} months after since")
        return self

    def asked(self) -> EffectsAsked:
        """Return it as the query of the service."""
        return EffectsAsked(
            certification_code=self.certification_code,
            metric_id=self.metric_id,
            view=self.view,
            months=self.months,
            first_month=self.since.replace(day=1),
            end_month=self.until.replace(day=1),
        )


class GroupView(View):
    """Some reps, and the metric in their months before and after: sums over sums."""

    reps: int
    before: list[MetricValueView]
    after: list[MetricValueView]


class EffectView(View):
    """Reps first certified in a month, beside those who were not certified by the end of the months after."""

    month: date
    certified: GroupView
    others: GroupView
    complete: bool = Field(description="Whether the months after are over.")


class EffectsView(View):
    """The cohorts in their order. It compares and proves nothing: who is sent to training is no accident."""

    certification_code: str
    metric_id: str
    metric_version: int
    months: int
    items: list[EffectView]

    @classmethod
    def of(cls, found: EffectsFound, asked: EffectsAsked) -> Self:
        """Show effects."""
        definition = found.definition

        def shown(group: Group) -> GroupView:
            sides: tuple[Sums, Sums] = (group.before, group.after)
            currencies = currencies_of(definition, sides)
            before, after = (
                [MetricValueView.of(value) for value in measure(definition, side, currencies)]
                for side in sides
            )
            return GroupView(reps=group.reps, before=before, after=after)

        return cls(
            certification_code=asked.certification_code,
            metric_id=definition.metric_id,
            metric_version=definition.version,
            months=asked.months,
            items=[
                EffectView(
                    month=effect.month,
                    certified=shown(effect.cohort),
                    others=shown(effect.others),
                    complete=effect.complete,
                )
                for effect in found.effects
            ],
        )
