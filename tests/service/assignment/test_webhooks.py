"""Webhooks over HTTP: only what a source signed, each record once, at once aligned and announced."""

import json
from datetime import timedelta

import pytest

from services.assignment.crm.webhooks.signature import sign
from shared.contracts.identity import account_id_of
from tests.service.assignment.conftest import CITY, NORTH, Assignment
from tests.service.assignment.deliveries import (
    MOVED,
    SECRET,
    deliver,
    deliver_hubspot,
    hubspot_event,
    register,
    tell_records,
)


async def test_a_signed_change_moves_the_account_at_once(assignment: Assignment):
    plan_id = await assignment.live({"external_id": "A", "name": "Acme", "county": "01001"})
    await register(assignment)
    answer = await deliver(assignment, {"delivery_id": "d", "records": [MOVED]})
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
    await register(assignment)
    assert await tell_records(assignment, MOVED) == [("applied", None)]
    assert await tell_records(assignment, MOVED) == [("duplicate", None)]
    assert len(await assignment.events("assignment.account.changed.v1")) == 1
    # The same under another delivery's name is taken, and changes nothing.
    assert await tell_records(assignment, MOVED, delivery="d-2") == [("applied", None)]
    assert len(await assignment.events("assignment.account.changed.v1")) == 1


async def test_wrong_records_are_told_in_the_words_of_the_crm(assignment: Assignment):
    await register(assignment)
    found = await tell_records(
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
    await register(assignment, "hubspot", url=url)
    answer = await deliver_hubspot(
        assignment,
        hubspot_event(assignment, "county_fips", "01001", event=1, age=60),
        hubspot_event(assignment, "county_fips", "01003", event=2, age=30),
        hubspot_event(assignment, "name", "Acme", event=3),
        hubspot_event(assignment, "phone", "1", event=4),
        {**hubspot_event(assignment, "name", "x", event=5), "subscriptionType": "company.deletion"},
        url=url,
    )
    assert answer.status_code == 200, answer.text
    outcomes = [one["outcome"] for one in answer.json()["records"]]
    assert outcomes == ["applied", "applied", "applied", "rejected", "rejected"]
    account = await assignment.get(f"/v1/accounts/{account_id_of('42')}")
    assert (account["name"], account["county"]) == ("Acme", "01003")
    assert account["alignment"]["territory_id"] == str(NORTH)
    assert (await deliver_hubspot(assignment, url="https://elsewhere.example/")).status_code == 401


async def test_an_event_of_the_wrong_type_is_refused_alone(assignment: Assignment):
    """A list or an object cannot be looked up: it must not take the right events of the delivery along."""
    await register(assignment, "hubspot")
    wrong = [
        {**hubspot_event(assignment, "name", "Acme", event=number), field: value}
        for field in ("objectId", "subscriptionType", "propertyName", "propertyValue", "occurredAt")
        for number, value in enumerate([["name"], {"name": 1}, None, True])
    ]
    body = [*wrong, hubspot_event(assignment, "zip", "01841", event=9)]
    answer = await deliver(assignment, body, source="hubspot")
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
    assert (await deliver(assignment, body)).status_code == 401
    await register(assignment)
    assert (await deliver(assignment, body, secret="a guess of somebody")).status_code == 401
    assert (await deliver(assignment, body, source="hubspot")).status_code == 401
    late = str(int(assignment.clock.now().timestamp()) - 301)
    content = json.dumps(body).encode()
    stale = {"x-bailiwick-timestamp": late, "x-bailiwick-signature": sign(SECRET.encode(), late, content)}
    refused = await deliver(assignment, content, **stale)
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
        b'{"delivery_id": "' + b"d" * 201 + b'", "records": [{}]}',
        b'{"delivery_id": "d", "records": [' + b",".join([b"{}"] * 1001) + b"]}",
        b"\xff",
    ],
)
async def test_a_signed_body_that_is_none_is_refused(assignment: Assignment, content: bytes):
    await register(assignment)
    refused = await deliver(assignment, content)
    assert (refused.status_code, refused.json()["code"]) == (422, "unreadable-delivery")


async def test_a_large_body_is_refused_before_it_is_read(assignment: Assignment):
    await register(assignment)
    assert (await deliver(assignment, b" " * 1_048_577)).status_code == 413


async def test_a_secret_is_rotated_without_a_gap_and_never_shown(assignment: Assignment):
    first = await register(assignment)
    assert set(first) == {"source", "url", "secret_since", "previous_until"}
    assert first["previous_until"] is None
    rotated = await register(assignment, secret="another-secret-of-it", keep_previous_hours=1)
    assert rotated["previous_until"] is not None
    assert await register(assignment, secret="another-secret-of-it") == rotated
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


async def test_the_secret_before_is_ended_without_another_rotation(assignment: Assignment):
    await register(assignment)
    rotated = await register(assignment, secret="another-secret-of-it", keep_previous_hours=2)
    longer = await register(assignment, secret="another-secret-of-it", keep_previous_hours=9)
    assert longer == rotated, "never later than was said"
    assert await _status(assignment, SECRET) == 200
    await register(assignment, secret="another-secret-of-it", keep_previous_hours=1)
    assignment.clock.advance(timedelta(minutes=59))
    assert await _status(assignment, SECRET) == 200
    ended = await register(assignment, secret="another-secret-of-it", keep_previous_hours=0)
    assert ended["previous_until"] is None
    assert [await _status(assignment, one) for one in (SECRET, "another-secret-of-it")] == [401, 200]


async def _status(assignment: Assignment, secret: str) -> int:
    body = {"delivery_id": secret, "records": [MOVED]}
    return (await deliver(assignment, body, secret=secret)).status_code


async def test_only_administrators_register_sources(assignment: Assignment):
    body = {"secret": SECRET}
    for caller in (assignment.caller("manager"), assignment.caller("admin", territories=[CITY])):
        refused = await assignment.http.put("/v1/webhook-sources/salesforce", json=body, headers=caller)
        assert refused.status_code == 403
    for wrong in ({"secret": "short"}, {"secret": "é" * 20}, {"secret": SECRET, "url": "ftp://x"}):
        refused = await assignment.http.put("/v1/webhook-sources/salesforce", json=wrong)
        assert refused.status_code == 422, wrong
        assert SECRET not in refused.text
