"""What metrics publishes: the trailing figures of an account, as state."""

from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.contracts.envelope import AggregateOrder, EventContract

ACCOUNT_STATE = "metrics.account.state.v1"


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
