"""The words in which tests deliver what CRMs tell by webhooks."""

import json
from datetime import timedelta
from typing import Any

import httpx

from services.assignment.crm.webhooks.signature import Delivered, sign, sign_hubspot
from tests.service.assignment.conftest import Assignment

SECRET = "the-secret-of-this-source"
MOVED = {"Id": "A", "Name": "Acme", "County_FIPS__c": "01003"}


async def register(assignment: Assignment, source: str = "salesforce", **body: Any) -> dict[str, Any]:
    """Register a source with the secret."""
    answer = await assignment.http.put(f"/v1/webhook-sources/{source}", json={"secret": SECRET, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def deliver(
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


async def tell_records(assignment: Assignment, *records: Any, delivery: str = "d-1") -> list[tuple[Any, ...]]:
    """Deliver records of Salesforce; return outcome and field of each."""
    answer = await deliver(assignment, {"delivery_id": delivery, "records": list(records)})
    assert answer.status_code == 200, answer.text
    return [(one["outcome"], one["field"]) for one in answer.json()["records"]]


async def deliver_hubspot(assignment: Assignment, *events: dict[str, Any], url: str) -> httpx.Response:
    """Deliver as HubSpot does, with its own signature."""
    content = json.dumps(events).encode()
    timestamp = str(int(assignment.clock.now().timestamp() * 1000))
    signature = sign_hubspot(SECRET.encode(), Delivered("POST", url, {}, content), timestamp)
    headers = {
        "x-hubspot-request-timestamp": timestamp,
        "x-hubspot-signature-v3": signature,
        "authorization": "",
    }
    return await assignment.http.post("/v1/webhooks/hubspot", content=content, headers=headers)


def hubspot_event(
    assignment: Assignment, name: str, value: str, *, event: int, age: int = 0
) -> dict[str, Any]:
    """Return an event of HubSpot that a property was changed, some seconds ago."""
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
