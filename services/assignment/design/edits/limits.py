"""Which limits of its scenario a proposal does not keep, and what the whole of its territories comes to. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.assignment.design.edits.score import Designed, TerritoryScore, Totals, deviations
from services.assignment.design.engine.short_of import ShortOf
from services.assignment.design.proposals.shortfall import Shortfall
from services.assignment.design.runs.run import Scenario

# As the engine sees it: what is off by less is not off.
_IN_BAND = 1e-6
_ALIKE = 1e-9
_NOTHING = 1e-15


@dataclass(frozen=True, slots=True)
class Known:
    """What limits are told from beside the territories.

    why: what was not kept before, touched: the territories that accounts went to or came from since. apart: how many
    groups that are kept together are in several territories now, and in which.
    """

    why: Sequence[Shortfall] = ()
    touched: Collection[UUID] = ()
    apart: int = 0
    apart_in: Sequence[UUID] = ()


def broken_limits(
    scenario: Scenario,
    designed: Sequence[Designed],
    scores: Sequence[TerritoryScore],
    known: Known,
    *,
    moved_share: float,
) -> list[Shortfall]:
    """Return the limits that territories, in the same order twice, do not keep; those of soft measures are none."""
    alone = _left_alone(known)
    found = _off_target(scenario, designed, scores, known, alone)
    found += _of(ShortOf.EMPTY, [one.territory_id for one in scores if not one.accounts])
    if scenario.contiguous:
        broken = [one.territory_id for one in scores if one.broken]
        found += _of(ShortOf.IN_PARTS, [one for one in broken if (None, one) not in alone])
        found += _of(ShortOf.LEFT_ALONE, [one for one in broken if (None, one) in alone])
    if moved_share > scenario.disruption.most_moved + _ALIKE:
        found += [_told(ShortOf.MOST_MOVED, figure=moved_share)]
    both = list(zip(designed, scores, strict=True))
    found += _of(ShortOf.LEAST_UNITS, [a.territory_id for a, b in both if b.accounts < (a.least or 0)])
    found += _of(
        ShortOf.MOST_UNITS, [a.territory_id for a, b in both if a.most is not None and b.accounts > a.most]
    )
    if known.apart:
        found += [_told(ShortOf.GROUPS_APART, known.apart_in, figure=float(known.apart))]
    return found


def whole_of(
    scenario: Scenario,
    designed: Sequence[Designed],
    scores: Sequence[TerritoryScore],
    known: Known,
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
    limits = broken_limits(scenario, designed, scores, known, moved_share=moved_share)
    kept = all(value <= one.tolerance + _IN_BAND for value, one in zip(worst, scenario.measures, strict=True))
    return Totals(
        feasible=not limits,
        why=tuple(limits),
        deviation=worst,
        mean_km=sum(one.weight * (one.mean_km or 0.0) for one in scores) / weight if weight > 0.0 else 0.0,
        cost=cost,
        gap=_gap(cost, bound) if kept and not edited_accounts else None,
        moved_accounts=sum(one.moved_accounts for one in scores),
        moved_share=moved_share,
        edited_accounts=edited_accounts,
    )


def _left_alone(known: Known) -> set[tuple[int | None, UUID]]:
    """Return the measures, None for parts, and territories of which limits did not hold before, nor anything has changed."""
    return {
        (one.measure, territory_id)
        for one in known.why
        if one.code is ShortOf.LEFT_ALONE
        for territory_id in one.territory_ids
        if territory_id not in known.touched
    }


def _off_target(
    scenario: Scenario,
    designed: Sequence[Designed],
    scores: Sequence[TerritoryScore],
    known: Known,
    alone: Collection[tuple[int | None, UUID]],
) -> list[Shortfall]:
    """Return measures that are out of their tolerance. Accounts that are too large still are; what was left alone may be."""
    off = deviations(designed, scores)
    too_large = {one.measure for one in known.why if one.code is ShortOf.UNIT_TOO_LARGE}
    found = []
    for a, measure in enumerate(scenario.measures):
        by = {one.territory_id: abs(row[a]) for one, row in zip(designed, off, strict=True)}
        missed = sorted(
            (one for one in by if by[one] > measure.tolerance + _IN_BAND), key=lambda one: -by[one]
        )
        if measure.soft:
            continue
        code = ShortOf.UNIT_TOO_LARGE if a in too_large else ShortOf.OUT_OF_TOLERANCE
        for kind, some in (
            (code, [one for one in missed if (a, one) not in alone]),
            (ShortOf.LEFT_ALONE, [one for one in missed if (a, one) in alone]),
        ):
            if some:
                found.append(_told(kind, some, measure=a, figure=by[some[0]]))
    return found


def _of(code: ShortOf, territory_ids: Sequence[UUID]) -> list[Shortfall]:
    return [_told(code, territory_ids)] if territory_ids else []


def _told(
    code: ShortOf,
    territory_ids: Sequence[UUID] = (),
    *,
    measure: int | None = None,
    figure: float | None = None,
) -> Shortfall:
    return Shortfall(code=code, measure=measure, territory_ids=list(territory_ids), figure=figure)


def _gap(cost: float, bound: float) -> float | None:
    if cost <= _NOTHING:
        return 0.0
    return cost / bound - 1 if bound > 0.0 else None
