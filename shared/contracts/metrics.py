"""What metrics publishes: the trailing figures of an account as state, and what becomes of goals."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import AggregateOrder, EventContract

ACCOUNT_STATE = "metrics.account.state.v1"
GOALS = "metrics.goal.events.v1"


class AccountFigures(BaseModel):
    """An account's figures in one currency, in major units."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    currency: str
    trailing_revenue: Decimal
    open_pipeline: Decimal


class AccountState(EventContract):
    """An account's trailing twelve months of revenue and its open pipeline, whole, one entry per currency."""

    TYPE: ClassVar[str] = "metrics.account.state.v1"
    TOPIC: ClassVar[str] = ACCOUNT_STATE
    ORDER: ClassVar[AggregateOrder] = "rising"

    account_id: UUID
    as_of: datetime
    figures: tuple[AccountFigures, ...]

    @property
    def key(self) -> str:
        """One state per account."""
        return str(self.account_id)


class _Goal(EventContract):
    TOPIC: ClassVar[str] = GOALS

    goal_id: UUID
    territory_id: UUID
    metric_id: str
    currency: str | None

    @property
    def key(self) -> str:
        """Order is kept per goal."""
        return str(self.goal_id)


class GoalAtRisk(_Goal):
    """A goal fell behind what was due by now, an amount of its metric; told once, until it recovers.

    In 8 of 10 cases the value at the end will lie between the forecast's low and high; null where too little is
    known of the periods before.
    """

    TYPE: ClassVar[str] = "metrics.goal.at-risk.v1"

    target: Decimal
    value: Decimal | None
    value_due: Decimal
    pace: Decimal | None
    forecast: Decimal | None
    forecast_low: Decimal | None
    forecast_high: Decimal | None
    end_day: date
    noticed_at: datetime


class GoalRecovered(_Goal):
    """A goal that was at risk is back on its pace."""

    TYPE: ClassVar[str] = "metrics.goal.recovered.v1"

    value: Decimal | None
    value_due: Decimal
    pace: Decimal | None
    noticed_at: datetime


class GoalSettled(_Goal):
    """A goal's period is over."""

    TYPE: ClassVar[str] = "metrics.goal.settled.v1"

    outcome: Literal["achieved", "missed"]
    target: Decimal
    value: Decimal | None
    settled_at: datetime


class GoalCancelled(_Goal):
    """A goal that was followed is given up."""

    TYPE: ClassVar[str] = "metrics.goal.cancelled.v1"

    cancelled_at: datetime
