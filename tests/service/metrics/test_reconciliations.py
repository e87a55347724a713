"""Recounts over HTTP: what differs, and what was found before."""

from uuid import uuid4

from sqlalchemy import text

from services.metrics.reconciliations import commands
from tests.service.metrics.telling import territory


async def test_a_reconciliation_tells_which_cell_is_wrong(counted, api, organisation, engine):
    answer = await api.post("/v1/reconciliations", headers=organisation)
    assert answer.status_code == 201
    assert (answer.json()["equal"], answer.json()["differences"]) == (True, [])
    async with engine.begin() as connection:
        await connection.execute(
            text("DELETE FROM rollup_days WHERE territory_id = :id"), {"id": territory("s1")}
        )
    body = (await api.post("/v1/reconciliations", headers=organisation)).json()
    assert (body["equal"], body["differing"]) == (False, 3)
    difference = body["differences"][0]
    assert (difference["view"], difference["territory_id"]) == ("as_was", str(territory("s1")))
    assert difference["stored"] is None
    assert difference["expected"]["revenue_minor"] == 1


async def test_spans_find_what_one_statement_finds(counted, api, organisation, engine, monkeypatch):
    """In days with facts and in days without; March and April are a span each."""
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE rollup_days SET orders = orders + 1"))
        await connection.execute(
            text("UPDATE rollup_days SET day = day - 400 WHERE territory_id = :id"), {"id": territory("s1")}
        )
    whole = (await api.post("/v1/reconciliations", headers=organisation)).json()
    monkeypatch.setattr(commands, "MOST_FACTS", 1)
    spans = (await api.post("/v1/reconciliations", headers=organisation)).json()
    assert len({difference["day"] for difference in whole["differences"]}) == 4
    of_all = ("cells", "facts", "differing", "equal")
    assert [spans[name] for name in of_all] == [whole[name] for name in of_all]
    by_cell = sorted(whole["differences"], key=str)
    assert sorted(spans["differences"], key=str) == by_cell


async def test_reconciliations_can_be_read_again(counted, api, organisation, engine):
    clean = (await api.post("/v1/reconciliations", headers=organisation)).json()
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE rollup_days SET orders = orders + 1"))
    answer = await api.post("/v1/reconciliations", headers=organisation)
    wrong = answer.json()
    assert (clean["equal"], wrong["equal"]) == (True, False)
    again = await api.get(answer.headers["location"], headers=organisation)
    assert again.json() == wrong
    assert again.json()["asked_by"] == "tester"

    async def listed(**params):
        page = (await api.get("/v1/reconciliations", params=params, headers=organisation)).json()
        return page["items"], page["next_cursor"]

    def without_differences(made):
        return {name: value for name, value in made.items() if name != "differences"}

    assert await listed() == ([without_differences(wrong), without_differences(clean)], None)
    assert await listed(equal="true") == ([without_differences(clean)], None)
    assert await listed(equal="false") == ([without_differences(wrong)], None)
    newest, cursor = await listed(limit=1)
    assert newest == [without_differences(wrong)]
    assert await listed(limit=1, cursor=cursor) == ([without_differences(clean)], None)


async def test_reconciliations_are_for_administrators_of_everything(api, issuer, organisation):
    scoped = issuer.headers("admin", territories=[territory("north")])
    for path in ("/v1/reconciliations", f"/v1/reconciliations/{uuid4()}"):
        assert (await api.get(path, headers=issuer.headers("manager"))).status_code == 403
        assert (await api.get(path, headers=scoped)).json()["code"] == "outside-scope"
    assert (await api.get(path, headers=organisation)).status_code == 404
