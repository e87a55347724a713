"""What a recount of all facts came to. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

MAX_DIFFERENCES = 100


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """How many cells and facts were compared, and the first of those cells that differ."""

    reconciliation_id: UUID
    asked_by: str
    made_at: datetime
    cells: int = 0
    facts: int = 0
    differing: int = 0
    differences: tuple[dict[str, Any], ...] = ()

    @property
    def equal(self) -> bool:
        """Tell whether every roll-up is what its facts add up to."""
        return self.differing == 0

    def with_days(
        self, cells: int, facts: int, differing: int, differences: list[dict[str, Any]]
    ) -> "Reconciliation":
        """Add what some more days came to."""
        return replace(
            self,
            cells=self.cells + cells,
            facts=self.facts + facts,
            differing=self.differing + differing,
            differences=(*self.differences, *differences)[:MAX_DIFFERENCES],
        )
