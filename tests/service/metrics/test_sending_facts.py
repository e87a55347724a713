"""Facts sent over HTTP: each gets a status of its own, and a scope sends its own accounts' only."""

import pytest
from sqlalchemy import text

from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from shared.contracts.sales import FactsRecorded
from tests.service.metrics.telling import YEAR, fact, received, territory


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
        fact("o1", amount="3.00").model_dump(mode="json"),
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


async def test_a_telling_that_outranks_what_is_counted_is_a_conflict_that_counts(
    counted, transact, api, organisation, waiting, engine
):
    """Refused at the door it would count for nobody, and at an installation that read it first for everybody."""
    other = fact("o1", amount="7.00")
    assert row_of(other).payload_hash < row_of(fact("o1")).payload_hash
    sent = {"facts": [other.model_dump(mode="json"), fact("o1").model_dump(mode="json")]}
    answer = await api.post("/v1/facts", json=sent, headers=organisation)
    assert [item["status"] for item in answer.json()["items"]] == ["conflict", "conflict"]
    (record,) = await waiting()
    assert record.facts == (other,)
    await transact(apply_facts, [received(record)])
    stored = (await api.get(f"/v1/facts/{other.entity_key}", headers=organisation)).json()
    assert (stored["amount"], stored["history"]) == ("7.00", [])
    (kept,) = (await api.get("/v1/fact-conflicts", headers=organisation)).json()["items"]
    assert kept["amount"] == "100.00"


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
