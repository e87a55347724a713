"""Webhooks over HTTP: only what a source signed, each record once, at once aligned and announced."""

import json
from datetime import timedelta
from itertools import permutations, product
from typing import Any

import httpx
import pytest

from services.assignment.crm.webhooks.signature import Delivered, sign, sign_hubspot
from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import CITY, NORTH, Assignment

SECRET = "the-secret-of-this-source"
MOVED = {"Id": "A", "Name": "Acme", "County_FIPS__c": "01003"}


async def _register(assignment: Assignment, source: str = "salesforce", **body: Any) -> dict[str, Any]:
    answer = await assignment.http.put(f"/v1/webhook-sources/{source}", json={"secret": SECRET, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def _deliver(
    assignment: Assignment, body: Any, *, source: str = "salesforce", secret: str = SECRET, **headers: str
) -> httpx.Response:
    """Deliver as a source does: without a token."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    timestamp = str(int(assignment.clock.now().timestamp()))
    signed = {
        "x-bailiwick-timestamp": timestamp,
        "x-bailiwick-signature": sign(secret.encode(), timestamp, content),
        "authorization": "",
        **headers,
    }
    return await assignment.http.post(f"/v1/webhooks/{source}", content=content, headers=signed)


async def _records(assignment: Assignment, *records: Any, delivery: str = "d-1") -> list[tuple[Any, ...]]:
    answer = await _deliver(assignment, {"delivery_id": delivery, "records": list(records)})
    assert answer.status_code == 200, answer.text
    return [(one["outcome"], one["field"]) for one in answer.json()["records"]]


async def _hubspot(assignment: Assignment, *events: dict[str, Any], url: str) -> httpx.Response:
    content = json.dumps(events).encode()
    timestamp = str(int(assignment.clock.now().timestamp() * 1000))
    signature = sign_hubspot(SECRET.encode(), Delivered("POST", url, {}, content), timestamp)
    headers = {
        "x-hubspot-request-timestamp": timestamp,
        "x-hubspot-signature-v3": signature,
        "authorization": "",
    }
    return await assignment.http.post("/v1/webhooks/hubspot", content=content, headers=headers)


def _event(assignment: Assignment, name: str, value: str, *, event: int, age: int = 0) -> dict[str, Any]:
    at = assignment.clock.now() - timedelta(seconds=age)
    return {
        "eventId": event,
        "subscriptionId": 1,
        "portalId": 1,
        "objectId": 42,
        "subscriptionType": "company.propertyChange",
        "propertyName": name,
        "propertyValue": value,
        "occurredAt": int(at.timestamp() * 1000),
    }


async def test_a_signed_change_moves_the_account_at_once(assignment: Assignment):
    plan_id = await assignment.live({"external_id": "A", "name": "Acme", "county": "01001"})
    await _register(assignment)
    answer = await _deliver(assignment, {"delivery_id": "d", "records": [MOVED]})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "registered": 0,
        "changed": 1,
        "aligned": 1,
        "records": [{"index": 0, "external_id": "A", "outcome": "applied", "field": None, "detail": None}],
    }
    assert (await assignment.open_alignments())[0][1] == NORTH
    aligned = (await assignment.events("assignment.account.aligned.v1"))[-1]
    assert (aligned["from_territory_id"], aligned["to_territory_id"]) == (str(CITY), str(NORTH))
    assert (aligned["plan_id"], aligned["cause"]) == (plan_id, "rule")
    changed = await assignment.events("assignment.account.changed.v1")
    assert [event["county"] for event in changed] == ["01003"]


async def test_what_comes_again_is_absorbed(assignment: Assignment):
    await assignment.live({"external_id": "A", "name": "Acme", "county": "01001"})
    await _register(assignment)
    assert await _records(assignment, MOVED) == [("applied", None)]
    assert await _records(assignment, MOVED) == [("duplicate", None)]
    assert len(await assignment.events("assignment.account.changed.v1")) == 1
    # The same under another delivery's name is taken, and changes nothing.
    assert await _records(assignment, MOVED, delivery="d-2") == [("applied", None)]
    assert len(await assignment.events("assignment.account.changed.v1")) == 1


async def test_an_older_change_that_comes_later_loses(assignment: Assignment):
    await _register(assignment)
    newer = {**MOVED, "LastModifiedDate": assignment.clock.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000")}
    before = assignment.clock.now() - timedelta(hours=1)
    older = {"Id": "A", "Name": "Old name", "Industry": "Farming", "LastModifiedDate": before.isoformat()}
    assert await _records(assignment, newer) == [("applied", None)]
    assert await _records(assignment, older, delivery="d-2") == [("applied", None)]
    account = await assignment.get(f"/v1/accounts/{account_id_of('A')}")
    assert (account["name"], account["county"], account["industry"]) == ("Acme", "01003", "Farming")
    assert await _records(assignment, older, delivery="d-3") == [("applied", None)]
    only_name = {name: older[name] for name in ("Id", "Name", "LastModifiedDate")}
    assert await _records(assignment, only_name, delivery="d-4") == [("superseded", None)]


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
    await _register(assignment)
    orders = list(permutations((10, 12, 15)))
    for number, (order, ways) in enumerate(product(orders, product("iw", repeat=3))):
        external_id = f"A{number}"
        for hour, way in zip(order, ways, strict=True):
            record = _named_at(assignment, external_id, f"as of {hour}", hour)
            if way == "i":
                await _import(assignment, record)
            else:
                await _records(assignment, record, delivery=f"d-{number}-{hour}")
        assert await _name(assignment, external_id) == "as of 15", (order, ways)


async def test_an_import_tells_what_is_older_than_known(assignment: Assignment):
    await _register(assignment)
    assert await _records(assignment, _named_at(assignment, "A", "Sixteen", 16)) == [("applied", None)]
    older = _named_at(assignment, "A", "Eleven", 11)
    assert await _import(assignment, older) == "superseded"
    # What was not told later is news, and what is as it was is no loss.
    assert await _import(assignment, {**older, "Industry": "Farming"}) == "changed"
    assert await _import(assignment, {**older, "Name": "Sixteen"}) == "unchanged"
    assert await _import(assignment, {**older, "Name": 7}) == "rejected"
    account = await assignment.get(f"/v1/accounts/{account_id_of('A')}")
    assert (account["name"], account["industry"]) == ("Sixteen", "Farming")


async def test_an_import_without_an_instant_is_as_of_now(assignment: Assignment):
    await _register(assignment)
    assert await _import(assignment, {"Id": "A", "Name": "Now"}) == "created"
    assert await _records(assignment, _named_at(assignment, "A", "Late", 23)) == [("superseded", None)]
    assert await _import(assignment, _named_at(assignment, "A", "Ahead", 25)) == "rejected"
    assignment.clock.advance(timedelta(hours=2))
    assert await _records(assignment, _named_at(assignment, "A", "Later", 23), delivery="d-2") == [
        ("applied", None)
    ]
    assert await _name(assignment, "A") == "Later"


async def test_wrong_records_are_told_in_the_words_of_the_crm(assignment: Assignment):
    await _register(assignment)
    found = await _records(
        assignment,
        {"Id": "A", "Name": "Acme", "County_FIPS__c": "1003"},
        {"Id": "B"},
        {"Name": "No id"},
        {"Id": "C", "Name": "Gone", "IsDeleted": True},
        {"Id": "D", "Name": "\ud800"},
        {"Id": "E", "Name": "Later", "LastModifiedDate": "2999-01-01T00:00:00Z"},
        {"Id": "F", "Name": "Right", "BillingPostalCode": "", "NumberOfEmployees": "12"},
        7,
    )
    assert found == [
        ("rejected", "County_FIPS__c"),
        ("rejected", "Name"),
        ("rejected", "Id"),
        ("rejected", "IsDeleted"),
        ("rejected", "Name"),
        ("rejected", "LastModifiedDate"),
        ("applied", None),
        ("rejected", None),
    ]
    assert await assignment.rows("SELECT external_id, employees, postal_code FROM accounts") == [
        ("F", 12, None)
    ]


async def test_hubspot_signs_in_its_own_way_and_tells_field_by_field(assignment: Assignment):
    await assignment.live()
    url = "https://bailiwick.example/v1/webhooks/hubspot"
    await _register(assignment, "hubspot", url=url)
    answer = await _hubspot(
        assignment,
        _event(assignment, "county_fips", "01001", event=1, age=60),
        _event(assignment, "county_fips", "01003", event=2, age=30),
        _event(assignment, "name", "Acme", event=3),
        _event(assignment, "phone", "1", event=4),
        {**_event(assignment, "name", "x", event=5), "subscriptionType": "company.deletion"},
        url=url,
    )
    assert answer.status_code == 200, answer.text
    outcomes = [one["outcome"] for one in answer.json()["records"]]
    assert outcomes == ["applied", "applied", "applied", "rejected", "rejected"]
    account = await assignment.get(f"/v1/accounts/{account_id_of('42')}")
    assert (account["name"], account["county"]) == ("Acme", "01003")
    assert account["alignment"]["territory_id"] == str(NORTH)
    assert (await _hubspot(assignment, url="https://elsewhere.example/")).status_code == 401


async def _position(assignment: Assignment) -> tuple[float | None, float | None]:
    account = await assignment.get(f"/v1/accounts/{account_id_of('42')}")
    return account["latitude"], account["longitude"]


async def _tell(assignment: Assignment, *events: dict[str, Any]) -> list[str]:
    answer = await _deliver(assignment, list(events), source="hubspot")
    assert answer.status_code == 200, answer.text
    return [one["outcome"] for one in answer.json()["records"]]


async def test_a_position_comes_half_by_half(assignment: Assignment):
    """HubSpot sends an event a property, in one delivery or in several, in any order."""
    await _register(assignment, "hubspot")

    def event(name: str, value: str, number: int) -> dict[str, Any]:
        return _event(assignment, name, value, event=number, age=100 - number)

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
    await _register(assignment, "hubspot")
    assert await _tell(assignment, _event(assignment, "longitude", "-72", event=1, age=60)) == ["applied"]
    stamp = (assignment.clock.now() - timedelta(seconds=90)).isoformat()
    company = {"id": "42", "updatedAt": stamp, "properties": {"latitude": "42", "longitude": "-70"}}
    older = await assignment.post("/v1/crm/hubspot/imports", {"companies": [company]})
    assert older["errors"] == []
    assert await _position(assignment) == (42, -72)
    half = {"companies": [{"id": "43", "properties": {"name": "B", "latitude": "1"}}]}
    (refused,) = (await assignment.post("/v1/crm/hubspot/imports", half))["errors"]
    assert refused["field"] == "latitude"
    assert await _tell(assignment, _event(assignment, "latitude", "", event=2)) == ["applied"]
    del company["updatedAt"]
    await assignment.post("/v1/crm/hubspot/imports", {"companies": [company]})
    assert await _position(assignment) == (42, -70)
    assert await assignment.rows("SELECT * FROM half_positions") == []


async def test_an_event_of_the_wrong_type_is_refused_alone(assignment: Assignment):
    """A list or an object cannot be looked up: it must not take the right events of the delivery along."""
    await _register(assignment, "hubspot")
    wrong = [
        {**_event(assignment, "name", "Acme", event=number), field: value}
        for field in ("objectId", "subscriptionType", "propertyName", "propertyValue", "occurredAt")
        for number, value in enumerate([["name"], {"name": 1}, None, True])
    ]
    body = [*wrong, _event(assignment, "zip", "01841", event=9)]
    answer = await _deliver(assignment, body, source="hubspot")
    assert answer.status_code == 200, answer.text
    *refused, right = answer.json()["records"]
    assert {one["outcome"] for one in refused} == {"rejected"}
    assert [one["field"] for one in refused[::4]] == [
        "objectId",
        "subscriptionType",
        "propertyName",
        "propertyValue",
        "occurredAt",
    ]
    assert right["outcome"] == "applied"


async def test_nobody_else_delivers(assignment: Assignment):
    body = {"delivery_id": "d", "records": [MOVED]}
    assert (await _deliver(assignment, body)).status_code == 401
    await _register(assignment)
    assert (await _deliver(assignment, body, secret="a guess of somebody")).status_code == 401
    assert (await _deliver(assignment, body, source="hubspot")).status_code == 401
    late = str(int(assignment.clock.now().timestamp()) - 301)
    content = json.dumps(body).encode()
    stale = {"x-bailiwick-timestamp": late, "x-bailiwick-signature": sign(SECRET.encode(), late, content)}
    refused = await _deliver(assignment, content, **stale)
    assert refused.status_code == 401
    assert refused.json()["code"] == "invalid-signature"
    without = await assignment.http.post("/v1/webhooks/salesforce", json=body)
    assert without.status_code == 401, "an administrator's token is no signature"
    assert await assignment.rows("SELECT count(*) FROM accounts") == [(0,)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"[]",
        b'{"delivery_id": 1, "records": [{}]}',
        b'{"delivery_id": "d", "records": []}',
        b'{"delivery_id": "d", "records": [' + b",".join([b"{}"] * 1001) + b"]}",
        b"\xff",
    ],
)
async def test_a_signed_body_that_is_none_is_refused(assignment: Assignment, content: bytes):
    await _register(assignment)
    refused = await _deliver(assignment, content)
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable-delivery")


async def test_a_large_body_is_refused_before_it_is_read(assignment: Assignment):
    await _register(assignment)
    assert (await _deliver(assignment, b" " * 1_048_577)).status_code == 413


async def test_a_secret_is_rotated_without_a_gap_and_never_shown(assignment: Assignment):
    first = await _register(assignment)
    assert set(first) == {"source", "url", "secret_since", "previous_until"}
    assert first["previous_until"] is None
    rotated = await _register(assignment, secret="another-secret-of-it", keep_previous_hours=1)
    assert rotated["previous_until"] is not None
    assert await _register(assignment, secret="another-secret-of-it") == rotated
    both = (SECRET, "another-secret-of-it")
    assert [await _status(assignment, secret) for secret in both] == [200, 200]
    assignment.clock.advance(timedelta(hours=1))
    assert [await _status(assignment, secret) for secret in both] == [401, 200]
    stored = await assignment.rows("SELECT sealed_secret, sealed_previous_secret FROM webhook_sources")
    assert not any(secret.encode() in sealed for secret in both for sealed in stored[0])
    listed = await assignment.get("/v1/webhook-sources")
    assert [source["source"] for source in listed["items"]] == ["salesforce"]
    gone = await assignment.http.delete("/v1/webhook-sources/salesforce")
    assert gone.status_code == 204
    assert await _status(assignment, "another-secret-of-it") == 401
    assert (await assignment.http.delete("/v1/webhook-sources/salesforce")).status_code == 404


async def _status(assignment: Assignment, secret: str) -> int:
    body = {"delivery_id": secret, "records": [MOVED]}
    return (await _deliver(assignment, body, secret=secret)).status_code


async def test_only_administrators_register_sources(assignment: Assignment):
    body = {"secret": SECRET}
    for caller in (assignment.caller("manager"), assignment.caller("admin", territories=[CITY])):
        refused = await assignment.http.put("/v1/webhook-sources/salesforce", json=body, headers=caller)
        assert refused.status_code == 403
    for wrong in ({"secret": "short"}, {"secret": "é" * 20}, {"secret": SECRET, "url": "ftp://x"}):
        refused = await assignment.http.put("/v1/webhook-sources/salesforce", json=wrong)
        assert refused.status_code == 422, wrong
        assert SECRET not in refused.text
