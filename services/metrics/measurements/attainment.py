"""Quotas beside the figures they are held against."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.measurements.asked import Cells, MetricsAsked
from services.metrics.measurements.cells import GroupBy
from services.metrics.measurements.periods import Grain, bounds_of, periods_between
from services.metrics.quotas.queries import find_targets
from services.metrics.quotas.quota import Target, quota_minor
from shared.contracts.identity import ORGANISATION

QUOTA = "quota_minor"


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
    for period in periods_between(asked.first_day, asked.end_day, grain):
        first_day, end_day = bounds_of(period, grain, asked.first_day, asked.end_day)
        for key in _keys(targets, group_by):
            mine = [target for target in targets if key in {None, target.territory_id}]
            for currency in {target.currency for target in mine}:
                if quota := quota_minor(mine, first_day, end_day, currency):
                    found.setdefault((key, period), {}).setdefault(currency, {})[QUOTA] = quota


def _keys(targets: Sequence[Target], group_by: GroupBy) -> set[UUID] | set[None]:
    """Return whose rows have a quota; the organisation is the total of the territories and none of them."""
    if group_by != "territory":
        return {None}
    return {target.territory_id for target in targets} - {ORGANISATION}
