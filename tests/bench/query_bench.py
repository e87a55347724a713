"""query: figures and metrics of a year over 100,000 accounts and 1,000,000 facts, through HTTP."""

import time
from uuid import UUID

import asyncpg

from services.metrics.rollups.view import RollupView
from tests.bench.beside import beside
from tests.bench.load import Call
from tests.bench.organisation import END, REGION, SINCE, found_facts
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage

ACCOUNTS, FACTS = 100_000, 1_000_000
_PERIOD = f"from={SINCE:%Y-%m-%d}&to={END:%Y-%m-%d}"


def _cells(territory_id: UUID) -> str:
    return f"""
    SELECT date_trunc('month', day) AS month, currency, sum(revenue_minor) AS revenue_minor
    FROM rollup_days WHERE view = {RollupView.AS_IS:d} AND territory_id = '{territory_id}'
      AND day >= '{SINCE:%Y-%m-%d}' AND day < '{END:%Y-%m-%d}' GROUP BY 1, 2
    """


async def run(stage: Stage) -> list[Result]:
    """Measure a region's year by month, as the bare query reads the same cells, and against adding up its facts."""
    database = await stage.databases.for_service("metrics")
    engine = database.build_engine()
    raw = await asyncpg.connect(database.admin_url)
    await found_facts(engine, raw, accounts=ACCOUNTS, facts=FACTS)
    await engine.dispose()
    figures = f"/v1/figures?view=as_is&{_PERIOD}&territory_id={REGION}&include=self&grain=month"
    metrics = (
        f"/v1/metrics?metric_id=revenue&metric_id=win-rate&view=as_was&{_PERIOD}"
        f"&territory_id={REGION}&include=self&grain=month"
    )
    async with beside(database, _cells(REGION)) as both:
        bearer = both.issuer.headers("viewer")
        floor = Call("GET", "/rows", {})
        results = [
            await both.compare("query", case, Call("GET", path, bearer), floor=floor)
            for case, path in (("region-year-figures", figures), ("region-year-metrics", metrics))
        ]

        async def ours() -> float:
            started = time.perf_counter()
            (await both.http.get(figures)).raise_for_status()
            return time.perf_counter() - started

        async def adding_up() -> float:
            started = time.perf_counter()
            await raw.fetch(_OF_FACTS, REGION, SINCE.date(), END.date())
            return time.perf_counter() - started

        values, floors = await paired(ours, adding_up)
    note = "one request; floor: one statement that adds up the region's facts, as without roll-ups; lower is better"
    results.append(
        rates("query", "region-year-against-facts", unit="s", values=values, floors=floors, note=note)
    )
    await raw.close()
    return results


_OF_FACTS = """
SELECT date_trunc('month', f.day), f.currency, sum(f.amount_minor)
FROM metrics.facts f JOIN metrics.accounts a USING (account_id)
JOIN metrics.live_closure c ON c.territory_id = a.territory_id AND c.ancestor_id = $1
WHERE f.kind = 'order' AND NOT f.voided AND f.day >= $2 AND f.day < $3 GROUP BY 1, 2
"""
