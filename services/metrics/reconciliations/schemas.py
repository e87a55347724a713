"""Bodies of the reconciliation routes."""

from datetime import date, datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from services.metrics.reconciliations.commands import MAX_DIFFERENCES, Reconciliation
from services.metrics.rollups.figure import RollupView
from shared.http.bodies import View


class Difference(View):
    """A cell whose roll-up is not what its facts add up to; null where there is none. Minor units."""

    view: Literal["as_was", "as_is"]
    territory_id: UUID
    day: date
    currency: str
    expected: dict[str, int] | None
    stored: dict[str, int] | None


class ReconciliationView(View):
    """The result of comparing every cell of both views with the facts."""

    reconciliation_id: UUID
    equal: bool
    cells: int
    facts: int
    differing: int
    differences: list[Difference] = Field(description=f"The first {MAX_DIFFERENCES}.")
    made_at: datetime

    @classmethod
    def of(cls, made: Reconciliation) -> Self:
        """Show a reconciliation."""
        return cls(
            reconciliation_id=made.reconciliation_id,
            equal=made.differing == 0,
            cells=made.cells,
            facts=made.facts,
            differing=made.differing,
            differences=[
                Difference.model_validate({**each, "view": RollupView(each["view"]).name.lower()})
                for each in made.differences
            ],
            made_at=made.made_at,
        )
