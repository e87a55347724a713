"""Bodies of the reconciliation routes."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field, field_validator

from services.metrics.reconciliations.reconciliation import MAX_DIFFERENCES
from services.metrics.rollups.view import RollupView, ViewName
from shared.http.bodies import View


class Difference(View):
    """A cell whose roll-up is not what its facts add up to; null where there is none. Minor units."""

    view: ViewName
    territory_id: UUID
    day: date
    currency: str
    expected: dict[str, int] | None
    stored: dict[str, int] | None

    @field_validator("view", mode="before")
    @classmethod
    def name_view(cls, number: Any) -> Any:
        """Say a view by its name."""
        return RollupView(number).label


class ReconciliationView(View):
    """What comparing every cell of both views with the facts came to, and who asked for it."""

    reconciliation_id: UUID
    equal: bool
    cells: int
    facts: int
    differing: int
    asked_by: str
    made_at: datetime


class ReconciliationDetailView(ReconciliationView):
    """A reconciliation with the cells that differ."""

    differences: list[Difference] = Field(description=f"The first {MAX_DIFFERENCES}.")
