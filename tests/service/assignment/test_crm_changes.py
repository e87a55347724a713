"""What CRMs tell of one account, by webhooks and imports, in pieces and out of order: the latest of each field holds."""

from datetime import timedelta
from itertools import permutations, product
from typing import Any

from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.deliveries import MOVED, deliver, hubspot_event, register, tell_records


async def test_an_older_change_that_comes_later_loses(assignment: Assignment):
    await register(assignment)
    newer = {**MOVED, "LastModifiedDate": assignment.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")}
    before = assignment.clock.now() - timedelta(hours=1)
    older = {"Id": "A", "Name": "Old name", "Industry": "Farming", "LastModifiedDate": before.isoformat()}
    assert await tell_records(assignment, newer) == [("applied", None)]
    assert await tell_records(assignment, older, delivery="d-2") == [("applied", None)]
    account = await assignment.get(f"/v1/accounts/{account_id_of('A')}")
    assert (account["name"], account["county"], account["industry"]) == ("Acme", "01003", "Farming")
    assert await tell_records(assignment, older, delivery="d-3") == [("applied", None)]
    only_name = {name: older[name] for name in ("Id", "Name", "LastModifiedDate")}
    assert await tell_records(assignment, only_name, delivery="d-4") == [("superseded", None)]


def _named_at(assignment: Assignment, external_id: str, name: str, hour: int) -> dict[str, Any]:
    at = assignment.clock.now() - timedelta(hours=24 - hour)
    return {"Id": external_id, "Name": name, "LastModifiedDate": at.isoformat()}


async def _import(assignment: Assignment, record: dict[str, Any]) -> str:
    """Import one account and return what became of it."""
    answer = await assignment.post("/v1/crm/salesforce/imports", {"Account": [record]})
    (tally,) = (one for one in answer["objects"] if one["object"] == "Account")
    outcomes = ("created", "changed", "unchanged", "superseded", "rejected")
    (outcome,) = (name for name in outcomes if tally[name])
    return outcome


async def _name(assignment: Assignment, external_id: str) -> str:
    return (await assignment.get(f"/v1/accounts/{account_id_of(external_id)}"))["name"]


async def test_the_latest_change_wins_whichever_way_and_order_it_comes(assignment: Assignment):
    await register(assignment)
    orders = list(permutations((10, 12, 15)))
    for number, (order, ways) in enumerate(product(orders, product("iw", repeat=3))):
        external_id = f"A{number}"
        for hour, way in zip(order, ways, strict=True):
            record = _named_at(assignment, external_id, f"as of {hour}", hour)
            if way == "i":
                await _import(assignment, record)
            else:
                await tell_records(assignment, record, delivery=f"d-{number}-{hour}")
        assert await _name(assignment, external_id) == "as of 15", (order, ways)


async def test_an_import_tells_what_is_older_than_known(assignment: Assignment):
    await register(assignment)
    assert await tell_records(assignment, _named_at(assignment, "A", "Sixteen", 16)) == [("applied", None)]
    older = _named_at(assignment, "A", "Eleven", 11)
    assert await _import(assignment, older) == "superseded"
    # What was not told later is news, and what is as it was is no loss.
    assert await _import(assignment, {**older, "Industry": "Farming"}) == "changed"
    assert await _import(assignment, {**older, "Name": "Sixteen"}) == "unchanged"
    assert await _import(assignment, {**older, "Name": 7}) == "rejected"
    account = await assignment.get(f"/v1/accounts/{account_id_of('A')}")
    assert (account["name"], account["industry"]) == ("Sixteen", "Farming")


async def test_an_import_without_an_instant_is_as_of_now(assignment: Assignment):
    await register(assignment)
    assert await _import(assignment, {"Id": "A", "Name": "Now"}) == "created"
    assert await tell_records(assignment, _named_at(assignment, "A", "Late", 23)) == [("superseded", None)]
    assert await _import(assignment, _named_at(assignment, "A", "Ahead", 25)) == "rejected"
    assignment.clock.advance(timedelta(hours=2))
    assert await tell_records(assignment, _named_at(assignment, "A", "Later", 23), delivery="d-2") == [
        ("applied", None)
    ]
    assert await _name(assignment, "A") == "Later"


async def _position(assignment: Assignment) -> tuple[float | None, float | None]:
    account = await assignment.get(f"/v1/accounts/{account_id_of('42')}")
    return account["latitude"], account["longitude"]


async def _tell(assignment: Assignment, *events: dict[str, Any]) -> list[str]:
    answer = await deliver(assignment, list(events), source="hubspot")
    assert answer.status_code == 200, answer.text
    return [one["outcome"] for one in answer.json()["records"]]


async def test_a_position_comes_half_by_half(assignment: Assignment):
    """HubSpot sends an event a property, in one delivery or in several, in any order."""
    await register(assignment, "hubspot")

    def event(name: str, value: str, number: int) -> dict[str, Any]:
        return hubspot_event(assignment, name, value, event=number, age=100 - number)

    together = [event("name", "Acme", 1), event("latitude", "42.1", 1), event("longitude", "-71.1", 1)]
    assert await _tell(assignment, *together) == ["applied"] * 3
    assert await _position(assignment) == (42.1, -71.1)
    assert await _tell(assignment, event("latitude", "43", 2)) == ["applied"]
    assert await _position(assignment) == (43, -71.1)
    # Half of it cleared is none, and what was not cleared waits for the next.
    assert await _tell(assignment, event("latitude", "", 3)) == ["applied"]
    assert await _position(assignment) == (None, None)
    assert await _tell(assignment, event("name", "Acme Ltd", 4)) == ["applied"]
    assert await _tell(assignment, event("latitude", "44", 5)) == ["applied"]
    assert await _position(assignment) == (44, -71.1)
    assert await _tell(assignment, event("longitude", "", 6), event("latitude", "", 6)) == ["applied"] * 2
    assert await _tell(assignment, event("longitude", "-72", 7)) == ["applied"]
    assert await _position(assignment) == (None, None)
    assert await _tell(assignment, event("latitude", "north", 8)) == ["rejected"]
    assert await _tell(assignment, event("latitude", "45", 7)) == ["applied"]
    assert await _position(assignment) == (45, -72)
    assert await assignment.rows("SELECT * FROM half_positions") == []


async def test_half_a_position_that_waits_completes_an_import_and_is_outdone_by_one(assignment: Assignment):
    await register(assignment, "hubspot")
    assert await _tell(assignment, hubspot_event(assignment, "longitude", "-72", event=1, age=60)) == [
        "applied"
    ]
    stamp = (assignment.clock.now() - timedelta(seconds=90)).isoformat()
    company = {"id": "42", "updatedAt": stamp, "properties": {"latitude": "42", "longitude": "-70"}}
    older = await assignment.post("/v1/crm/hubspot/imports", {"companies": [company]})
    assert older["errors"] == []
    assert await _position(assignment) == (42, -72)
    half = {"companies": [{"id": "43", "properties": {"name": "B", "latitude": "1"}}]}
    (refused,) = (await assignment.post("/v1/crm/hubspot/imports", half))["errors"]
    assert refused["field"] == "latitude"
    assert await _tell(assignment, hubspot_event(assignment, "latitude", "", event=2)) == ["applied"]
    del company["updatedAt"]
    await assignment.post("/v1/crm/hubspot/imports", {"companies": [company]})
    assert await _position(assignment) == (42, -70)
    assert await assignment.rows("SELECT * FROM half_positions") == []


async def test_a_change_before_there_were_crms_is_refused(assignment: Assignment):
    """0001-01-01 is some connectors' way to say that there is no date; Postgres would keep it as no instant."""
    await register(assignment)
    dated = {**MOVED, "LastModifiedDate": "0001-01-01T00:00:00Z"}
    assert await tell_records(assignment, dated) == [("rejected", "LastModifiedDate")]
    assert await tell_records(assignment, MOVED, delivery="d-2") == [("applied", None)]
    # What was taken in before it was refused stands in nobody's way.
    await assignment.execute("UPDATE crm_field_changes SET changed_at = '-infinity'")
    moved = {**MOVED, "Name": "Acme Ltd"}
    assert await tell_records(assignment, moved, delivery="d-3") == [("applied", None)]
    assert await _name(assignment, "A") == "Acme Ltd"


async def test_an_address_abroad_comes_field_by_field_in_any_order(assignment: Assignment):
    await register(assignment, "hubspot")
    for company, order in ((42, 1), (43, -1)):
        at_home = [
            {**hubspot_event(assignment, name, value, event=1, age=60), "objectId": company}
            for name, value in (("zip", "01841"), ("county_fips", "25009"))
        ]
        abroad = [
            {**hubspot_event(assignment, name, value, event=2, age=30), "objectId": company}
            for name, value in (("zip", "K1A 0B1"), ("county_fips", ""))
        ]
        assert await _tell(assignment, *at_home) == ["applied"] * 2
        assert await _tell(assignment, *abroad[::order]) == ["applied"] * 2
        account = await assignment.get(f"/v1/accounts/{account_id_of(str(company))}")
        assert (account["postal_code"], account["county"]) == ("K1A 0B1", None)


async def test_a_state_that_is_written_out_is_known_by_its_letters(assignment: Assignment):
    await register(assignment, "hubspot")
    told = [
        hubspot_event(assignment, "state", state, event=number)
        for number, state in enumerate([" massachusetts", "Bavaria and more"])
    ]
    answer = await deliver(assignment, told, source="hubspot")
    assert [one["outcome"] for one in answer.json()["records"]] == ["applied", "rejected"]
    assert answer.json()["records"][1]["detail"] == "two letters, such as TX"
    company = {"id": "43", "properties": {"name": "B", "state": "New Mexico"}}
    await assignment.post("/v1/crm/hubspot/imports", {"companies": [company]})
    assert await assignment.rows("SELECT state FROM accounts ORDER BY external_id") == [("MA",), ("NM",)]
