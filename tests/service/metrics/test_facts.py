"""The facts behind a figure over HTTP: lists, one fact with its past, and whose they are."""

from uuid import uuid4

from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from shared.contracts.identity import ORGANISATION, UNASSIGNED, account_id_of
from tests.service.metrics.telling import fact, recorded, territory


async def test_facts_behind_a_figure(counted, api, organisation, northerner):
    async def listed(headers, **params):
        answer = await api.get("/v1/facts", params={k: str(v) for k, v in params.items()}, headers=headers)
        assert answer.status_code == 200, answer.text
        return {item["external_id"] for item in answer.json()["items"]}

    assert await listed(organisation) == {"o1", "o2", "o3", "o4"}
    assert await listed(organisation, territory_id=territory("north"), view="as_was") == {"o1", "o2"}
    assert await listed(organisation, territory_id=territory("north"), view="as_is") == {"o1"}
    assert await listed(organisation, territory_id=territory("s1"), view="as_was") == {"o3"}
    assert await listed(organisation, territory_id=territory("south"), view="as_is") == {"o2", "o3"}
    for view in ("as_was", "as_is"):
        assert await listed(organisation, territory_id=UNASSIGNED, view=view) == {"o4"}
        assert await listed(organisation, territory_id=ORGANISATION, view=view) == {"o1", "o2", "o3", "o4"}
    assert await listed(organisation, account_id=account_id_of("a2")) == {"o2", "o3"}
    assert await listed(organisation, account_id=account_id_of("a2"), to="2026-04-01") == {"o2"}
    assert await listed(northerner) == {"o1"}
    assert await listed(northerner, account_id=account_id_of("a2")) == set()


async def test_pages_neither_skip_nor_repeat(counted, api, organisation):
    seen, cursor = [], None
    while True:
        params = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/v1/facts", params=params, headers=organisation)).json()
        seen += [item["external_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == ["o1", "o2", "o3", "o4"]


async def test_a_fact_tells_whom_it_counts_for_and_what_it_replaced(
    counted, transact, api, organisation, northerner
):
    corrected = fact("o2", revision=2, account_external_id="a2", amount="11.00")
    await transact(apply_facts, [recorded(corrected)])
    url = f"/v1/facts/{row_of(corrected).entity_key}"
    found = (await api.get(url, headers=organisation)).json()
    assert (found["revision"], found["amount"], found["currency"]) == (2, "11.00", "USD")
    assert [(past["revision"], past["amount"]) for past in found["history"]] == [(1, "10.00")]
    assert {c["view"]: c["line"] for c in found["credits"]} == {
        "as_was": [str(territory("n2")), str(territory("north")), str(ORGANISATION)],
        "as_is": [str(territory("s1")), str(territory("south")), str(ORGANISATION)],
    }
    assert (await api.get(url, headers=northerner)).status_code == 404
    assert (await api.get(f"/v1/facts/{uuid4()}", headers=organisation)).status_code == 404


async def test_the_openapi_document_shows_what_a_fact_is(api):
    document = (await api.get("/openapi.json")).json()
    item = document["components"]["schemas"]["SubmitFactsBody"]["properties"]["facts"]["items"]
    assert {"source", "kind", "external_id", "revision"} <= set(item["properties"])
    assert document["paths"]["/v1/figures"]["get"]["operationId"] == "get-figures"


async def test_a_past_under_another_territorys_account_is_counted_and_not_shown(
    counted, transact, api, issuer, organisation, northerner
):
    """A correction brought the fact to this account: what another sold before stays the other's."""
    corrections = [
        fact("o2", revision=2, account_external_id="a1", amount="20.00"),
        fact("o2", revision=3, account_external_id="stranger", amount="30.00"),
        fact("o2", revision=4, account_external_id="a1", amount="40.00"),
    ]
    for each in corrections:
        await transact(apply_facts, [recorded(each)])
    url = f"/v1/facts/{row_of(corrections[0]).entity_key}"

    async def past(headers):
        found = (await api.get(url, headers=headers)).json()
        return [each["amount"] for each in found["history"]], found["history_left_out"]

    assert await past(organisation) == (["10.00", "20.00", "30.00"], 0)
    assert await past(northerner) == (["20.00"], 2)
    both = issuer.headers("viewer", territories=[territory("north"), territory("south")])
    assert await past(both) == (["10.00", "20.00"], 1)
