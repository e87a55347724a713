"""Tellings that do not count, over HTTP: newest first, in pages, each to those whose accounts they name."""

import pytest

from services.metrics.facts.commands.apply_facts import apply_facts
from services.metrics.facts.fact_row import row_of
from shared.contracts.identity import account_id_of
from tests.service.metrics.telling import fact, recorded, territory


@pytest.fixture
async def contradicted(counted, transact):
    """o1 (a1, north) told again as another amount and as another account's; o2 (a2, south) as a1's.

    What was told first counts: the amounts are chosen so that the digests of the others are larger.
    """
    for told in (
        fact("o1", amount="3.00"),
        fact("o1", account_external_id="a2", amount="99.00"),
        fact("o2", account_external_id="a1", amount="10.00"),
        fact("o4", account_external_id="stranger", kind="order", amount="7", currency="JPY"),
    ):
        await transact(apply_facts, [recorded(told)])


@pytest.fixture
def listed(api):
    """List conflicts as pairs of external id and amount."""

    async def listed(headers, **params):
        answer = await api.get(
            "/v1/fact-conflicts", params={k: str(v) for k, v in params.items()}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        page = answer.json()
        return [(item["external_id"], item["amount"]) for item in page["items"]], page["next_cursor"]

    return listed


async def test_conflicts_are_listed_the_newest_first(contradicted, api, organisation, listed):
    found, _ = await listed(organisation)
    assert found == [("o4", "7"), ("o2", "10.00"), ("o1", "99.00"), ("o1", "3.00")]
    oldest = (await api.get("/v1/fact-conflicts", headers=organisation)).json()["items"][-1]
    stored = (await api.get(f"/v1/facts/{oldest['entity_key']}", headers=organisation)).json()
    assert (oldest["revision"], oldest["amount"]) == (1, "3.00")
    assert (stored["revision"], stored["amount"]) == (1, "100.00")


async def test_conflicts_are_found_by_fact_account_and_source(contradicted, organisation, listed):
    o1 = row_of(fact("o1")).entity_key
    assert (await listed(organisation, entity_key=o1))[0] == [("o1", "99.00"), ("o1", "3.00")]
    assert (await listed(organisation, account_id=account_id_of("a1")))[0] == [
        ("o2", "10.00"),
        ("o1", "3.00"),
    ]
    assert len((await listed(organisation, source="crm"))[0]) == 4
    assert (await listed(organisation, source="erp"))[0] == []


async def test_pages_of_conflicts_neither_skip_nor_repeat(contradicted, organisation, listed):
    first, cursor = await listed(organisation, limit=3)
    rest, end = await listed(organisation, limit=3, cursor=cursor)
    assert first + rest == (await listed(organisation))[0]
    assert end is None


async def test_a_scope_sees_conflicts_of_its_own_facts_about_its_own_accounts(
    contradicted, issuer, northerner, listed
):
    assert (await listed(northerner))[0] == [("o1", "3.00")]
    assert (await listed(northerner, account_id=account_id_of("a2")))[0] == []
    both = issuer.headers("viewer", territories=[territory("north"), territory("south")])
    assert (await listed(both))[0] == [("o2", "10.00"), ("o1", "99.00"), ("o1", "3.00")]
    assert (await listed(issuer.headers("viewer", territories=[])))[0] == []


async def test_a_conflict_refused_on_arrival_is_listed(counted, api, organisation, northerner, listed):
    sent = [fact("new"), fact("new", amount="1.00"), fact("o1", amount="777.00")]
    body = {"facts": [each.model_dump(mode="json") for each in sent]}
    for _ in range(2):
        await api.post("/v1/facts", json=body, headers=organisation)
    assert set((await listed(organisation))[0]) == {("new", "1.00"), ("o1", "777.00")}
    assert set((await listed(northerner))[0]) == {("new", "1.00"), ("o1", "777.00")}
