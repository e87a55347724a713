"""Body of the fact conflicts route."""

from typing import Self
from uuid import UUID

from services.metrics.facts.conflicts.queries import FactConflict
from services.metrics.facts.schemas import FactView


class FactConflictView(FactView):
    """A telling that does not count; the fact with this `entity_key` has the one that does."""

    conflict_id: UUID

    @classmethod
    def of_conflict(cls, conflict: FactConflict) -> Self:
        """Show a conflict."""
        return cls(**FactView.of(conflict.told).model_dump(), conflict_id=conflict.conflict_id)
