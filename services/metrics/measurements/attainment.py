"""Quotas beside the figures they are held against."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.measurements.asked import Cells, MetricsAsked
from services.metrics.measurements.cells import GroupBy
from services.metrics.measurements.periods import Grain, bounds_of, periods_between
from services.metrics.quotas.queries import find_covered_days, find_targets, find_with_others_below
from services.metrics.quotas.quota import Target, quota_minor, split_by_rep
from shared.contracts.identity import ORGANISATION

QUOTA = "quota_minor"


@dataclass(frozen=True, slots=True)
class _Share:
    """Days of a target that count in one row."""

    key: UUID | None
    target: Target
    first_day: date
    end_day: date


async def add_quotas(
    read: AsyncConnection,
    asked: MetricsAsked,
    found: Cells,
    territories: Sequence[UUID] | None,
    *,
    group_by: GroupBy,
    grain: Grain,
) -> None:
    """Add to each row the quota of its territory, or of those asked for, in its period."""
    targets = await find_targets(read, territories, first_day=asked.first_day, end_day=asked.end_day)
    shares = [
        _Share(key, target, target.first_day, target.end_day)
        for target in targets
        for key in _keys(target, group_by)
    ]
    _add(found, shares, asked, grain)


async def add_quotas_by_rep(
    read: AsyncConnection,
    asked: MetricsAsked,
    found: Cells,
    territories: Sequence[UUID] | None,
    *,
    tree_id: UUID | None,
    group_by: GroupBy,
    grain: Grain,
) -> None:
    """Add to each row the days of quotas on which its rep covers the territory, as what was sold on them counts.

    A target of a territory with others below it is what those sell together, and is no rep's own.
    """
    targets = await find_targets(read, territories, first_day=asked.first_day, end_day=asked.end_day)
    holders = {target.territory_id for target in targets}
    above = await find_with_others_below(read, holders, tree_id=tree_id)
    own = [target for target in targets if target.territory_id not in above | {ORGANISATION}]
    _add(found, list(await _shares_of_reps(read, asked, own, group_by)), asked, grain)


async def _shares_of_reps(
    read: AsyncConnection, asked: MetricsAsked, targets: Collection[Target], group_by: GroupBy
) -> Iterator[_Share]:
    covered = await find_covered_days(read, {target.territory_id for target in targets})
    return (
        _Share({"rep": rep_id, "territory": target.territory_id}.get(group_by), target, first_day, end_day)
        for target in targets
        for rep_id, first_day, end_day in split_by_rep(target, covered.get(target.territory_id, ()))
        if asked.rep_id in {None, rep_id}
    )


def _add(found: Cells, shares: Collection[_Share], asked: MetricsAsked, grain: Grain) -> None:
    for period in periods_between(asked.first_day, asked.end_day, grain):
        bounds = bounds_of(period, grain, asked.first_day, asked.end_day)
        for share in shares:
            first_day, end_day = max(bounds[0], share.first_day), min(bounds[1], share.end_day)
            currency = share.target.currency
            if quota := quota_minor([share.target], first_day, end_day, currency):
                held = found.setdefault((share.key, period), {}).setdefault(currency, {})
                held[QUOTA] = held.get(QUOTA, 0) + quota


def _keys(target: Target, group_by: GroupBy) -> Iterable[UUID | None]:
    """Return whose rows have the quota; the organisation is the total of the territories and none of them."""
    if group_by != "territory":
        return (None,)
    return () if target.territory_id == ORGANISATION else (target.territory_id,)
