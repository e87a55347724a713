"""query: figures and metrics of a year over 100,000 accounts and 1,000,000 facts, through HTTP."""

import time
from uuid import UUID, uuid4

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from services.metrics.attribution.commands.record_previews import record_previews
from services.metrics.rollups.view import RollupView
from shared.contracts.assignment import PlannedMove, PlanPreviewed
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from shared.runtime.clock import SystemClock
from tests.bench.beside import Beside, beside
from tests.bench.load import Call
from tests.bench.organisation import END, LEAVES, REGION, SINCE, found_facts
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage
from tests.service.metrics.telling import received, territory

ACCOUNTS, FACTS, MOVES = 100_000, 1_000_000, 20_000
PLAN = UUID(int=9)
_PERIOD = f"from={SINCE:%Y-%m-%d}&to={END:%Y-%m-%d}"
_YEAR = f"day >= '{SINCE:%Y-%m-%d}' AND day < '{END:%Y-%m-%d}'"
_METRICS = f"/v1/metrics?metric_id=revenue&metric_id=win-rate&{_PERIOD}"
_OF_REGION = f"territory_id={REGION}&include=self&grain=month"


def _cells(view: RollupView, *figures: str) -> str:
    """Return the floor: the same cells of the region, added up by month."""
    return f"""
    SELECT date_trunc('month', day) AS month, currency, {", ".join(f"sum({name}) AS {name}" for name in figures)}
    FROM rollup_days WHERE view = {view:d} AND territory_id = '{REGION}' AND {_YEAR} GROUP BY 1, 2
    """


_BY_REP = f"/v1/metrics?metric_id=revenue&{_PERIOD}&view=as_was&territory_id={REGION}&group_by=rep"
_OF_FACTS = """
SELECT date_trunc('month', f.day), f.currency, sum(f.amount_minor)
FROM metrics.facts f JOIN metrics.accounts a USING (account_id)
JOIN metrics.live_closure c ON c.territory_id = a.territory_id AND c.ancestor_id = $1
WHERE f.kind = 'order' AND NOT f.voided AND f.day >= $2 AND f.day < $3 GROUP BY 1, 2
"""


async def run(stage: Stage) -> list[Result]:
    """Measure a region's year as it was, as it is, by rep and as planned, each beside a floor."""
    database = await stage.databases.for_service("metrics")
    engine = database.build_engine()
    raw = await asyncpg.connect(database.admin_url)
    await found_facts(engine, raw, accounts=ACCOUNTS, facts=FACTS)
    await _preview(engine)
    await raw.execute("VACUUM ANALYZE")
    await engine.dispose()
    figures = f"/v1/figures?view=as_is&{_PERIOD}&{_OF_REGION}"
    results = []
    for case, path, floor in (
        ("region-year-figures", figures, _cells(RollupView.AS_IS, "revenue_minor")),
        (
            "region-year-metrics",
            f"{_METRICS}&view=as_was&{_OF_REGION}",
            _cells(RollupView.AS_WAS, "revenue_minor", "won", "lost"),
        ),
    ):
        async with beside(database, floor) as both:
            call = Call("GET", path, both.issuer.headers("viewer"))
            results.append(await both.compare("query", case, call, floor=Call("GET", "/rows", {})))
    async with beside(database, "SELECT 1 AS one") as both:
        for case, path in (
            ("region-year-against-facts", figures),
            # One at a time: sixteen at once are more than two cores and ten sessions do within a request's patience.
            ("region-year-by-rep", _BY_REP),
            ("region-year-as-planned", f"{_METRICS}&view=as_planned&plan_id={PLAN}&{_OF_REGION}"),
        ):
            results.append(await _against_facts(both, raw, case, path))
    await raw.close()
    return results


async def _against_facts(both: Beside, raw: asyncpg.Connection, case: str, path: str) -> Result:
    async def ours() -> float:
        started = time.perf_counter()
        (await both.http.get(path)).raise_for_status()
        return time.perf_counter() - started

    async def adding_up() -> float:
        started = time.perf_counter()
        await raw.fetch(_OF_FACTS, REGION, SINCE.date(), END.date())
        return time.perf_counter() - started

    values, floors = await paired(ours, adding_up)
    note = "one request; floor: one statement that adds up the region's facts, as without roll-ups; lower is better"
    return rates("query", case, unit="s", values=values, floors=floors, note=note)


async def _preview(engine: AsyncEngine) -> None:
    """Have a plan known that would move every fifth account to the next leaf."""
    moves = tuple(
        PlannedMove(account_id=account_id_of(f"a{n}"), to_territory_id=territory(f"leaf {(n + 1) % LEAVES}"))
        for n in range(0, ACCOUNTS, ACCOUNTS // MOVES)
    )
    async with engine.connect() as connection:
        live = (await connection.exec_driver_sql("SELECT tree_id FROM live_plan")).scalar_one()
    previewed = PlanPreviewed(
        plan_id=PLAN,
        preview_id=uuid4(),
        plan_version=1,
        tree_id=live,
        part=1,
        parts=1,
        territories=(),
        moves=moves,
        previewed_at=END,
    )
    await Transactor(engine, SystemClock(), "/bench/metrics")(record_previews, [received(previewed)])
