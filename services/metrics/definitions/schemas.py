"""Bodies of the definitions routes."""

from typing import Self

from pydantic import Field

from services.metrics.definitions.definition import Additivity, Definition, Unit
from shared.http.bodies import View


class DefinitionView(View):
    """What a metric means, in this version."""

    metric_id: str
    version: int
    title: str
    formula: str
    unit: Unit
    additivity: Additivity = Field(
        description=(
            "additive: sums over territories, reps and days are exact. semi_additive: over territories and reps, "
            "as of now. ratio_of_sums: numerators and denominators add up, values do not."
        )
    )
    when_empty: str | None = Field(
        description="The reason given with a null value when there is nothing to divide by."
    )
    parameters: tuple[str, ...]
    source: str

    @classmethod
    def of(cls, definition: Definition) -> Self:
        """Show a definition."""
        return cls.model_validate(definition)


class DefinitionsView(View):
    """All metrics."""

    items: list[DefinitionView]
