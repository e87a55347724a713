"""Why a proposal keeps less than all limits, in the words of those who set them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.runs.run import BalancedMeasure, Counted, Scenario

if TYPE_CHECKING:  # the api learns of arrays when it first draws
    from services.assignment.design.engine.proposal import Shortfall as Found

_OF_TERRITORIES = {
    ShortOf.GROUPS_APART: "Accounts that are kept together are apart: {where}. Move the others of their groups, too.",
    ShortOf.EMPTY: "No account goes to {where}; where there are too few, or too few that may go there, no plan mends that.",
    ShortOf.IN_PARTS: "In more than one part: {where}. Allow more tolerance or more moves, or leave `contiguous` out.",
    ShortOf.LEFT_ALONE: "In more than one part where the change alters nothing: {where}, as they are today. Realign to mend them.",
    ShortOf.LEAST_UNITS: "Fewer accounts than asked for: {where}.",
    ShortOf.MOST_UNITS: "More accounts than allowed: {where}.",
}
# More names than these make no sentence better; all ids stand beside it.
_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """A limit that does not hold: of a measure by its place in the scenario, in some territories, by how much."""

    code: ShortOf
    measure: int | None
    territory_ids: list[UUID]
    figure: float | None


def with_ids(found: "Sequence[Found]", territory_ids: Sequence[UUID]) -> list[Shortfall]:
    """Return what the engine found with the ids of territories instead of their numbers."""
    return [
        Shortfall(
            code=one.code,
            measure=one.measure,
            territory_ids=[territory_ids[number] for number in one.territories],
            figure=one.figure,
        )
        for one in found
    ]


def sentence(one: Shortfall, scenario: Scenario, names: Mapping[UUID, str]) -> str:
    """Return what does not hold, and what to change; names are those of the territories."""
    where = _where([names[territory_id] for territory_id in one.territory_ids])
    if one.measure is not None:
        return _of_measure(one, scenario.measures[one.measure], where)
    if one.code is ShortOf.MOST_MOVED:
        return (
            f"{_share(one.figure)} of {_counted(scenario)} would move, and at most "
            f"{_share(scenario.disruption.most_moved)} may. What is pinned elsewhere, or belongs to a territory that is "
            "not designed, moves in any case."
        )
    return _OF_TERRITORIES[one.code].format(where=where)


def _of_measure(one: Shortfall, measure: BalancedMeasure, where: str) -> str:
    name = measure.measure.value.capitalize()
    name = name if measure.currency is None else f"{name} in {measure.currency}"
    if one.code is ShortOf.UNIT_TOO_LARGE:
        return (
            f"{name}: one account alone, or a group that is kept together, is more than any territory may hold; loads are up "
            f"to {_share(one.figure)} off ({where}). Balance it softly, keep fewer together, or hold it elsewhere by a pin."
        )
    if one.code is ShortOf.LEFT_ALONE:
        return (
            f"{name}: loads are up to {_share(one.figure)} off where the change alters nothing ({where}), as they are today. "
            "Realign to mend them."
        )
    return (
        f"{name}: not all loads are within {_share(measure.tolerance)} of their targets, but up to {_share(one.figure)} off "
        f"({where}). Allow more tolerance or more starts, or balance it softly."
    )


def _counted(scenario: Scenario) -> str:
    if scenario.disruption.counted is Counted.REVENUE:
        return f"revenue in {scenario.disruption.currency}"
    return "the accounts"


def _where(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"


def _share(value: float | None) -> str:
    return f"{(value or 0.0) * 100:.4g} %"
