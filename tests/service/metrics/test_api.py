"""The routes as a caller meets them: statuses, scope, pages, problems."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from services.metrics.attribution.commands.record_activations import record_activations
from services.metrics.attribution.commands.record_alignments import record_alignments
from services.metrics.attribution.commands.record_trees import record_trees
from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from shared.contracts.identity import ORGANISATION, UNASSIGNED, account_id_of
from shared.contracts.sales import FactsRecorded
from tests.service.metrics.telling import (
    A_DAY,
    activated,
    aligned,
    fact,
    received,
    recorded,
    territory,
    tree,
)

TREE = tree({"north": None, "n1": "north", "n2": "north", "south": None, "s1": "south"})
YEAR = {"from": "2026-01-01", "to": "2027-01-01"}


@pytest.fixture
def organisation(issuer):
    """Headers of an administrator of everything."""
    return issuer.headers("admin")


@pytest.fixture
def northerner(issuer):
    """Headers of a contributor whose scope is the north."""
    return issuer.headers("contributor", territories=[territory("north")])


@pytest.fixture
async def counted(transact):
    """a1 in n1 with 100 USD in March, a2 moved from n2 to s1 in April with 10 USD before and 1 JPY after."""
    await transact(record_trees, [TREE])
    await transact(record_activations, [activated(TREE, sequence=1)])
    in_april = A_DAY + timedelta(days=30)
    await transact(
        record_alignments,
        [
            aligned("a1", "n1", version=1),
            aligned("a2", "n2", version=1),
            aligned("a2", "s1", version=2, valid_from=in_april),
        ],
    )
    await transact(
        apply_facts,
        [
            recorded(
                fact("o1"),
                fact("o2", account_external_id="a2", amount="10.00"),
                fact("o3", account_external_id="a2", amount="1", currency="JPY", occurred_at=in_april),
                fact("o4", account_external_id="stranger", amount="0.05"),
            )
        ],
    )


def revenues(answer):
    """Return revenue by territory and currency."""
    return {(row["territory_id"], row["currency"]): row["revenue"] for row in answer["rows"]}


async def test_figures_of_all_territories_in_both_views(counted, api, organisation):
    north, n1, n2, south, s1 = (str(territory(name)) for name in ("north", "n1", "n2", "south", "s1"))
    answers = {}
    for view in ("as_was", "as_is"):
        answer = await api.get("/v1/figures", params={"view": view, **YEAR}, headers=organisation)
        assert answer.status_code == 200
        answers[view] = answer.json()
    assert revenues(answers["as_was"]) == {
        (north, "USD"): "110.00", (n1, "USD"): "100.00", (n2, "USD"): "10.00",
        (south, "JPY"): "1", (s1, "JPY"): "1", (str(UNASSIGNED), "USD"): "0.05",
    }  # fmt: skip
    assert revenues(answers["as_is"]) == {
        (north, "USD"): "100.00", (n1, "USD"): "100.00", (south, "USD"): "10.00", (s1, "USD"): "10.00",
        (south, "JPY"): "1", (s1, "JPY"): "1", (str(UNASSIGNED), "USD"): "0.05",
    }  # fmt: skip
    assert answers["as_was"]["totals"] == answers["as_is"]["totals"]
    assert [(t["currency"], t["revenue"]) for t in answers["as_is"]["totals"]] == [
        ("JPY", "1"),
        ("USD", "110.05"),
    ]
    assert answers["as_is"]["meta"]["facts"] == 4
    assert answers["as_is"]["meta"]["tree_id"] == str(TREE.event.tree_id)
    parents = {row["territory_id"]: row["parent_id"] for row in answers["as_is"]["rows"]}
    assert (parents[n1], parents[north], parents[str(UNASSIGNED)]) == (north, None, None)


@pytest.mark.parametrize(
    ("include", "names"),
    [("self", {"north"}), ("children", {"north", "n1", "n2"}), ("subtree", {"north", "n1", "n2"})],
)
async def test_figures_of_one_territory_with_what_is_below(counted, api, organisation, include, names):
    params = {"view": "as_was", **YEAR, "territory_id": str(territory("north")), "include": include}
    answer = (await api.get("/v1/figures", params=params, headers=organisation)).json()
    assert {row["territory_id"] for row in answer["rows"]} == {str(territory(name)) for name in names}
    assert [(t["currency"], t["revenue"]) for t in answer["totals"]] == [("USD", "110.00")]


@pytest.mark.parametrize(
    ("grain", "periods"),
    [("total", [None]), ("month", ["2026-03-01", "2026-04-01"]), ("day", ["2026-03-02", "2026-04-01"])],
)
async def test_figures_by_month_and_day(counted, api, organisation, grain, periods):
    params = {"view": "as_is", **YEAR, "territory_id": str(ORGANISATION), "grain": grain}
    answer = (await api.get("/v1/figures", params=params, headers=organisation)).json()
    assert sorted({row["period"] for row in answer["rows"]}, key=str) == periods


async def test_the_period_is_half_open(counted, api, organisation):
    params = {"view": "as_is", "territory_id": str(ORGANISATION)}
    for first, end, facts in (
        ("2026-03-02", "2026-03-03", 3),
        ("2026-03-01", "2026-03-02", 0),
        ("2026-03-03", "2026-04-01", 0),
    ):
        answer = await api.get(
            "/v1/figures", params={**params, "from": first, "to": end}, headers=organisation
        )
        assert answer.json()["meta"]["facts"] == facts
    answer = await api.get(
        "/v1/figures", params={**params, "from": "2026-03-02", "to": "2026-03-02"}, headers=organisation
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "empty-period")


async def test_a_scope_sees_its_territories_and_their_total(counted, api, issuer, northerner):
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=northerner)).json()
    assert {row["territory_id"] for row in answer["rows"]} == {str(territory("north")), str(territory("n1"))}
    assert [t["revenue"] for t in answer["totals"]] == ["100.00"]
    nested = issuer.headers("viewer", territories=[territory("n1"), territory("north"), territory("s1")])
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=nested)).json()
    assert [(t["currency"], t["revenue"]) for t in answer["totals"]] == [("JPY", "1"), ("USD", "110.00")]
    nothing = issuer.headers("viewer", territories=[])
    answer = (await api.get("/v1/figures", params={"view": "as_is", **YEAR}, headers=nothing)).json()
    assert (answer["rows"], answer["totals"]) == ([], [])


async def test_what_is_outside_the_scope_is_not_found(counted, api, northerner, organisation):
    for hidden in (territory("south"), UNASSIGNED, ORGANISATION, uuid4()):
        params = {"view": "as_is", **YEAR, "territory_id": str(hidden)}
        assert (await api.get("/v1/figures", params=params, headers=northerner)).status_code == 404
        params = {"territory_id": str(hidden)}
        assert (await api.get("/v1/facts", params=params, headers=northerner)).status_code == 404
    params = {"view": "as_is", **YEAR, "territory_id": str(uuid4())}
    assert (await api.get("/v1/figures", params=params, headers=organisation)).status_code == 404


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


@pytest.fixture
def waiting(engine):
    """Read the facts that wait in the outbox."""

    async def waiting():
        query = text("SELECT payload FROM outbox WHERE aggregatetype = :topic ORDER BY seq")
        async with engine.connect() as connection:
            rows = await connection.execute(query, {"topic": FactsRecorded.TOPIC})
            return [FactsRecorded.model_validate(payload) for payload in rows.scalars()]

    return waiting


async def test_each_fact_sent_gets_its_status(counted, api, organisation, waiting, engine):
    sent = [
        fact("new").model_dump(mode="json"),
        fact("o1").model_dump(mode="json"),
        fact("o1", amount="7.00").model_dump(mode="json"),
        {"kind": "order"},
        fact("o1", revision=2, amount="5.00").model_dump(mode="json"),
        fact("o1").model_dump(mode="json"),
    ]
    answer = await api.post("/v1/facts", json={"facts": sent}, headers=organisation)
    assert answer.status_code == 202
    body = answer.json()
    assert [item["status"] for item in body["items"]] == [
        "accepted", "duplicate", "conflict", "invalid", "accepted", "superseded",
    ]  # fmt: skip
    assert body["counts"] == {"accepted": 2, "duplicate": 1, "conflict": 1, "invalid": 1, "superseded": 1}
    assert body["items"][0]["entity_key"] == str(row_of(fact("new")).entity_key)
    assert body["items"][3]["entity_key"] is None
    assert body["items"][3]["errors"][0]["pointer"] == "/facts/3/source"
    (record,) = await waiting()
    assert [(each.external_id, each.revision) for each in record.facts] == [("new", 1), ("o1", 2)]
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM fact_conflicts"))).scalar() == 1


async def test_a_thousand_facts_leave_as_records_of_500(api, organisation, waiting):
    sent = [fact(f"o{n}").model_dump(mode="json") for n in range(1_000)]
    answer = await api.post("/v1/facts", json={"facts": sent}, headers=organisation)
    assert answer.json()["counts"] == {"accepted": 1_000}
    assert [len(record.facts) for record in await waiting()] == [500, 500]
    for wrong in ([], [*sent, sent[0]]):
        answer = await api.post("/v1/facts", json={"facts": wrong}, headers=organisation)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


async def test_what_was_accepted_is_counted_once_applied(counted, transact, api, organisation, waiting):
    await api.post("/v1/facts", json={"facts": [fact("new").model_dump(mode="json")]}, headers=organisation)
    await transact(apply_facts, [received(event) for event in await waiting()])
    params = {"view": "as_is", **YEAR, "territory_id": str(territory("n1"))}
    answer = (await api.get("/v1/figures", params=params, headers=organisation)).json()
    assert answer["totals"][0]["revenue"] == "200.00"


async def test_a_repeated_request_has_one_effect(api, organisation, waiting):
    headers = {**organisation, "Idempotency-Key": "k1"}
    body = {"facts": [fact().model_dump(mode="json")]}
    first, second = [await api.post("/v1/facts", json=body, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    assert len(await waiting()) == 1


async def test_a_scope_sends_facts_of_its_own_accounts_only(counted, api, northerner, waiting):
    sent = [
        fact("x1", account_external_id="a1"),
        fact("x2", account_external_id="a2"),
        fact("x3", account_external_id="unknown"),
        fact("x4", kind="spend", account_external_id=None),
    ]
    body = {"facts": [each.model_dump(mode="json") for each in sent]}
    answer = (await api.post("/v1/facts", json=body, headers=northerner)).json()
    assert [item["status"] for item in answer["items"]] == ["accepted", "invalid", "invalid", "invalid"]
    assert [each.external_id for record in await waiting() for each in record.facts] == ["x1"]


async def test_a_scope_cannot_take_a_fact_away_from_another_territory(counted, api, northerner, waiting):
    """A correction moves or voids what is counted; so the account of the revision before decides as well."""
    sent = [
        fact("o2", revision=2, account_external_id="a1"),
        fact("o2", revision=2, account_external_id="a1", voided=True),
        fact("on its way", revision=2, account_external_id="a1"),
    ]
    body = {"facts": [each.model_dump(mode="json") for each in sent]}
    answer = (await api.post("/v1/facts", json=body, headers=northerner)).json()
    assert [item["status"] for item in answer["items"]] == ["invalid"] * 3
    assert [item["errors"][0]["pointer"] for item in answer["items"]] == [
        "/facts/0/account_id",
        "/facts/1/account_id",
        "/facts/2/revision",
    ]
    assert await waiting() == []


async def test_a_misspelt_field_is_told(api, organisation):
    body = {"facts": [{**fact().model_dump(mode="json"), "void": True}]}
    answer = (await api.post("/v1/facts", json=body, headers=organisation)).json()
    assert answer["items"][0]["errors"][0]["pointer"] == "/facts/0/void"


async def test_who_may_do_what(api, issuer):
    body = {"facts": [fact().model_dump(mode="json")]}
    assert (await api.post("/v1/facts", json=body)).status_code == 401
    assert (await api.post("/v1/facts", json=body, headers=issuer.headers("viewer"))).status_code == 403
    assert (await api.post("/v1/reconciliations", headers=issuer.headers("manager"))).status_code == 403
    scoped = issuer.headers("admin", territories=[territory("north")])
    assert (await api.post("/v1/reconciliations", headers=scoped)).json()["code"] == "outside-scope"


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


async def test_freshness_tells_what_was_read_and_what_waits(counted, api, organisation, engine):
    insert = text("INSERT INTO consumer_offsets VALUES ('metrics.facts', 'sales.facts.v1', 3, 42)")
    async with engine.begin() as connection:
        await connection.execute(insert)
    body = (await api.get("/v1/freshness", headers=organisation)).json()
    assert body["partitions"] == [
        {"consumer": "metrics.facts", "topic": "sales.facts.v1", "partition": 3, "next_offset": 42}
    ]
    assert (body["parked_keys"], body["unpublished_accounts"], body["conflicting_facts"]) == (0, 3, 0)


async def test_the_openapi_document_shows_what_a_fact_is(api):
    document = (await api.get("/openapi.json")).json()
    item = document["components"]["schemas"]["SubmitFactsBody"]["properties"]["facts"]["items"]
    assert {"source", "kind", "external_id", "revision"} <= set(item["properties"])
    assert document["paths"]["/v1/figures"]["get"]["operationId"] == "get-figures"
