"""The answer about a limit that a proposal does not keep."""

from collections.abc import Mapping
from uuid import UUID

from pydantic import Field

from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.proposals.shortfall import Shortfall, sentence
from services.assignment.design.runs.run import Scenario
from shared.http.bodies import View


class ShortfallView(View):
    """A limit that does not hold."""

    code: ShortOf
    measure: int | None = Field(description="Its place among the scenario's measures; null: about none.")
    territory_ids: list[UUID] = Field(description="Where it does not hold; empty: it is about all of them.")
    figure: float | None = Field(
        description=(
            "unit-too-large, out-of-tolerance and, of a measure, left-alone: the largest |load / target - 1|; most-moved: the share "
            "that moves; groups-apart: how many; else null."
        )
    )
    detail: str = Field(description="The same in a sentence, with what to change.")

    @classmethod
    def of(cls, one: Shortfall, scenario: Scenario, names: Mapping[UUID, str]) -> "ShortfallView":
        """Show a limit that a proposal does not keep; names are those of the territories."""
        return cls(
            code=one.code,
            measure=one.measure,
            territory_ids=one.territory_ids,
            figure=one.figure,
            detail=sentence(one, scenario, names),
        )
