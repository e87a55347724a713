"""On which days anything is counted."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.rollups.view import RollupView
from shared.contracts.identity import ORGANISATION, UNASSIGNED

FIRST_DAY, END_DAY = date(1, 1, 1), date(9999, 12, 31)

_BOUNDS = text(f"""
SELECT min(day), max(day) FROM rollup_days
WHERE view = {RollupView.AS_IS:d} AND territory_id = '{ORGANISATION}'
""")
_UNASSIGNED_DAYS = text(f"""
SELECT day FROM rollup_days WHERE view = :view AND territory_id = '{UNASSIGNED}'
GROUP BY day HAVING isum(facts) <> 0
""")

Days = tuple[date, date]


async def find_years(connection: AsyncConnection) -> list[Days]:
    """Return half-open ranges of days that together cover all time, so that no statement grows with the data."""
    first, last = (await connection.execute(_BOUNDS)).one()
    return cut_into_years(first, last) if first is not None else [(FIRST_DAY, END_DAY)]


def cut_into_years(first: date, last: date) -> list[Days]:
    """Cut all time at each New Year between two days; the outer ranges reach to both ends of time."""
    new_years = [date(year, 1, 1) for year in range(first.year + 1, last.year + 1)]
    return list(zip([FIRST_DAY, *new_years], [*new_years, END_DAY], strict=True))


async def find_unassigned_days(read: AsyncConnection, view: RollupView) -> list[date]:
    """Return the days with facts that no territory holds in the view."""
    return list((await read.execute(_UNASSIGNED_DAYS, {"view": int(view)})).scalars())
