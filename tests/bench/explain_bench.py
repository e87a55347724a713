"""explain/one-of-100k: why an account is where it is, through HTTP, among 100,000 under a live plan."""

from shared.contracts.identity import account_id_of
from tests.bench.activation_bench import found_plan
from tests.bench.beside import beside
from tests.bench.load import Call
from tests.bench.report import Result
from tests.bench.stage import Stage

ACCOUNT = account_id_of("A-77777")
_FLOOR = f"SELECT territory_id, plan_id, rule_id, cause, lower(valid) AS valid_from FROM alignments WHERE account_id = '{ACCOUNT}'"


async def run(stage: Stage) -> list[Result]:
    """Measure explanations per second at 16 connections."""
    database = await stage.databases.for_service("assignment")
    async with beside(database, _FLOOR) as both:
        await found_plan(both.http)
        path = f"/v1/accounts/{ACCOUNT}/explanation"
        told = (await both.http.get(path)).raise_for_status().json()
        if told["replays"] is not True:
            raise RuntimeError(f"the explanation does not replay: {told}")
        call = Call("GET", path, both.issuer.headers("viewer"))
        return [await both.compare("explain", "one-of-100k", call, floor=Call("GET", "/rows", {}))]
