"""What somebody sets out to reach, of what, by when. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from services.metrics.definitions.catalogue import CATALOGUE
from services.metrics.definitions.definition import Definition
from services.metrics.rollups.view import ViewName

Direction = Literal["up", "down"]
Pacing = Literal["working_days", "linear"]


@dataclass(frozen=True, slots=True)
class GoalTerms:
    """A metric of a territory is to reach a target in a half-open period of UTC days."""

    title: str
    metric_id: str
    view: ViewName
    currency: str | None
    territory_id: UUID
    owner: str | None
    objective: str | None
    parent_goal_id: UUID | None
    direction: Direction
    baseline: Decimal | None
    target: Decimal
    first_day: date
    end_day: date
    pacing: Pacing
    stretch: bool

    @property
    def definition(self) -> Definition | None:
        """Return what the metric means, None for one that is not in the catalogue."""
        return CATALOGUE.get(self.metric_id)

    @property
    def adds_up(self) -> bool:
        """Tell whether the value grows day by day; else it is a level, such as a rate."""
        return self.definition is not None and self.definition.additivity == "additive"

    @property
    def is_quota(self) -> bool:
        """Tell whether the target is the quota that revenue is held against; a stretch is beyond it."""
        return self.metric_id == "revenue" and self.direction == "up" and not self.stretch

    def is_met(self, value: Decimal | None, mark: Decimal) -> bool:
        """Tell whether a value is at a mark, such as the target, or beyond it in the goal's direction."""
        if value is None:
            return False
        return value >= mark if self.direction == "up" else value <= mark
