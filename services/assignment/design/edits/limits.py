"""Which limits of its scenario a proposal does not keep, and what the whole of its territories comes to. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.assignment.design.edits.score import Designed, TerritoryScore, Totals, deviations
from services.assignment.design.exports.design_map import measure_names
from services.assignment.design.runs.run import Scenario

# As the engine sees it: what is off by less is not off.
_IN_BAND = 1e-6
_ALIKE = 1e-9
_NOTHING = 1e-15


class LimitCode(StrEnum):
    """What is not kept."""

    TOLERANCE = "tolerance"
    EMPTY_TERRITORY = "empty-territory"
    BROKEN_TERRITORY = "broken-territory"
    MOST_MOVED = "most-moved"


@dataclass(frozen=True, slots=True)
class BrokenLimit:
    """A limit that is not kept: of a measure by its place in the scenario, and by which territories, the worst first."""

    code: LimitCode
    measure: int | None
    territory_ids: tuple[UUID, ...]
    detail: str


def broken_limits(
    scenario: Scenario,
    designed: Sequence[Designed],
    scores: Sequence[TerritoryScore],
    *,
    moved_share: float,
) -> tuple[BrokenLimit, ...]:
    """Return the limits that territories, in the same order twice, do not keep; those of soft measures are none."""
    found = _off_target(scenario, designed, scores)
    empty = tuple(one.territory_id for one in scores if not one.accounts)
    if empty:
        found.append(
            BrokenLimit(
                LimitCode.EMPTY_TERRITORY, None, empty, f"{_territories(len(empty))} without an account."
            )
        )
    broken = tuple(one.territory_id for one in scores if one.broken)
    if scenario.contiguous and broken:
        found.append(
            BrokenLimit(
                LimitCode.BROKEN_TERRITORY, None, broken, f"{_territories(len(broken))} not in one piece."
            )
        )
    most = scenario.disruption.most_moved
    if moved_share > most + _ALIKE:
        found.append(
            BrokenLimit(
                LimitCode.MOST_MOVED, None, (), f"{moved_share:.2%} would move; at most {most:.2%} may."
            )
        )
    return tuple(found)


def whole_of(
    scenario: Scenario,
    designed: Sequence[Designed],
    scores: Sequence[TerritoryScore],
    *,
    aligned_value: float,
    edited_accounts: int,
    bound: float,
) -> Totals:
    """Return what territories, in the same order twice, come to.

    aligned_value: what all accounts count that belong somewhere today. bound: the engine's, around the middles that its
    own plan has; with accounts moved by hand the middles are others, and the bound says nothing of the cost.
    """
    weight, cost = sum(one.weight for one in scores), sum(one.cost for one in scores)
    off = deviations(designed, scores)
    worst = tuple(max(abs(row[a]) for row in off) for a in range(len(scenario.measures)))
    moved = sum(one.moved_value for one in scores)
    moved_share = moved / aligned_value if aligned_value > 0.0 else 0.0
    limits = broken_limits(scenario, designed, scores, moved_share=moved_share)
    kept = all(value <= one.tolerance + _IN_BAND for value, one in zip(worst, scenario.measures, strict=True))
    return Totals(
        feasible=not limits,
        why=tuple(one.detail for one in limits),
        deviation=worst,
        mean_km=sum(one.weight * (one.mean_km or 0.0) for one in scores) / weight if weight > 0.0 else 0.0,
        cost=cost,
        gap=_gap(cost, bound) if kept and not edited_accounts else None,
        moved_accounts=sum(one.moved_accounts for one in scores),
        moved_share=moved_share,
        edited_accounts=edited_accounts,
    )


def _off_target(
    scenario: Scenario, designed: Sequence[Designed], scores: Sequence[TerritoryScore]
) -> list[BrokenLimit]:
    off = deviations(designed, scores)
    found = []
    for a, (measure, name) in enumerate(
        zip(scenario.measures, measure_names(scenario.measures), strict=True)
    ):
        missed = sorted(
            (k for k, row in enumerate(off) if abs(row[a]) > measure.tolerance + _IN_BAND),
            key=lambda k: -abs(off[k][a]),
        )
        if missed and not measure.soft:
            detail = (
                f"{name}: {_territories(len(missed))} more than {measure.tolerance:.2%} off target, at most "
                f"{off[missed[0]][a]:+.2%}."
            )
            ids = tuple(designed[k].territory_id for k in missed)
            found.append(BrokenLimit(LimitCode.TOLERANCE, a, ids, detail))
    return found


def _territories(count: int) -> str:
    return "1 territory is" if count == 1 else f"{count:,} territories are"


def _gap(cost: float, bound: float) -> float | None:
    if cost <= _NOTHING:
        return 0.0
    return cost / bound - 1 if bound > 0.0 else None
