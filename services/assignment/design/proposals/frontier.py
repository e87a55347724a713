"""The frontier of a proposal: how it is kept, read, and shown."""

from typing import Any

from pydantic import Field, TypeAdapter
from pydantic.dataclasses import dataclass

from shared.http.bodies import View


@dataclass(frozen=True)
class KeptPoint:
    """A plan within reach; lists are by measure. asked: a tolerance, none where the measure is left alone, and whether it
    is soft; None for the proposal itself.
    """  # noqa: D205 - one sentence

    deviation: list[float]
    mean_km: float
    whole: bool
    asked: list[tuple[float | None, bool]] | None


@dataclass(frozen=True)
class KeptBinding:
    """The measure whose loosening helps most, by its place in the scenario, and how far."""

    measure: int
    freed_from: float
    freed_to: float
    others_from: float
    others_to: float
    mean_km: float


@dataclass(frozen=True)
class KeptFrontier:
    """Plans within reach, those that travel least first."""

    points: list[KeptPoint]
    binding_measure: KeptBinding | None


FRONTIER = TypeAdapter(KeptFrontier | None)


def read_frontier(column: Any) -> KeptFrontier | None:
    """Return a frontier from how it is kept."""
    return FRONTIER.validate_python(column)


class AskedView(View):
    """What leads to a plan, of one measure."""

    tolerance: float | None = Field(description="Null: the measure is left alone.")
    soft: bool


class FrontierPointView(View):
    """A plan within reach: no other is as good in all, and better in one."""

    deviation: list[float] = Field(
        description="Largest of each measure, in the order of the scenario's; within the tolerance all are alike."
    )
    mean_km: float = Field(description="Mean distance of accounts from their middles, as of the proposal.")
    whole: bool = Field(description="Every territory is in one part.")
    asked: list[AskedView] | None = Field(
        description="The tolerances that lead to it, by measure: a scenario may ask for them. Null: the proposal itself."
    )


class BindingMeasureView(View):
    """The measure whose loosening brings the others nearest to their tolerances."""

    measure: int = Field(description="Its place among the scenario's measures.")
    freed_from: float = Field(description="Its deviation in the proposal.")
    freed_to: float = Field(description="Its deviation where the others come first.")
    others_from: float = Field(description="The largest deviation of the others in the proposal.")
    others_to: float = Field(description="What that falls to where the others come first.")
    mean_km: float = Field(description="Of that plan.")


class WithFrontier(View):
    """What is within reach where measures oppose each other."""

    frontier: list[FrontierPointView] | None = Field(
        description=(
            "What is within reach where a tolerance is missed, those that travel least first. Null: all tolerances hold, "
            "one measure alone is balanced, or no time was left. Of the engine's plan, whatever was moved by hand."
        )
    )
    binding_measure: BindingMeasureView | None = Field(
        description=(
            "Of the engine's plan, as `frontier` is. Null, too, where loosening one measure brings the others no nearer."
        )
    )


def shown(found: KeptFrontier | None) -> dict[str, Any]:
    """Return the fields of `WithFrontier`."""
    if found is None:
        return {"frontier": None, "binding_measure": None}
    binding = found.binding_measure
    return {
        "frontier": [_point_view(one) for one in found.points],
        "binding_measure": None if binding is None else BindingMeasureView.model_validate(binding),
    }


def _point_view(one: KeptPoint) -> FrontierPointView:
    asked = one.asked
    return FrontierPointView(
        deviation=one.deviation,
        mean_km=one.mean_km,
        whole=one.whole,
        asked=None if asked is None else [AskedView(tolerance=limit, soft=soft) for limit, soft in asked],
    )
