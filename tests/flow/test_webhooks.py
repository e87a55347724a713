"""A CRM's signed delivery, felt everywhere: aligned in assignment, credited in metrics, seen in collab by whom it concerns."""

import hashlib
import hmac
import json
import time
from decimal import Decimal
from uuid import uuid4

import pytest

from deploy.demo.arrival import totals_of, trailing_figures
from deploy.demo.client import Service, wait_until
from deploy.demo.tour.planning import SOURCE, TARGET
from deploy.demo.tree import territory_id
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

SECRET = "what the CRM and the flow tests share"
TOPIC = "assignment.account.events.v1"
FIELDS = {
    "Id": "external_id",
    "Name": "name",
    "BillingPostalCode": "postal_code",
    "BillingStateCode": "state",
    "County_FIPS__c": "county",
    "BillingLatitude": "latitude",
    "BillingLongitude": "longitude",
}
WHO = ("Id", "Name")


def test_a_signed_delivery_moves_the_account_in_all_three_services(seeded: ServiceProcesses) -> None:
    assignment, metrics = (seeded.api(name, role="admin") for name in ("assignment", "metrics"))
    source, target = str(territory_id(SOURCE)), str(territory_id(TARGET))
    there = next(iter(assignment.pages("/v1/accounts", territory_id=target)))
    account, own = _who_sold(assignment, metrics, source)
    assignment.send("PUT", "/v1/webhook-sources/salesforce", body={"secret": SECRET})
    before = {view: _revenue(metrics, view) for view in ("as_is", "as_was")}
    path = f"/v1/accounts/{account['account_id']}/profile"
    left, right = (seeded.api("collab", role="viewer", scope=at) for at in (source, target))
    _until(lambda: left.find(path) is not None, "the account in collab")
    assert right.find(path) is None

    record = {name: (account if name in WHO else there)[ours] for name, ours in FIELDS.items()}
    try:
        assert _deliver(assignment, record) == (1, 1)
        _until(lambda: _revenue(metrics, "as_is") == before["as_is"] + own, "the revenue to move")
        _until(lambda: right.find(path) is not None, "the account's new people to see it")
        assert left.find(path) is None
        assert _revenue(metrics, "as_was") == before["as_was"], "what was sold there was sold there"
        told = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[TOPIC]
        aligned = [
            one for one in told if one.key == account["account_id"] and "aligned" in one.event.get_type()
        ]
        assert (aligned[-1].data["from_territory_id"], aligned[-1].data["to_territory_id"]) == (
            source,
            target,
        )
    finally:
        home = {name: account[ours] for name, ours in FIELDS.items()}
        assert _deliver(assignment, home) == (1, 1)
    _until(lambda: _revenue(metrics, "as_is") == before["as_is"], "the revenue to come back")
    _until(lambda: right.find(path) is None, "the account to be back")


def _who_sold(assignment: Service, metrics: Service, territory: str) -> tuple[dict, Decimal]:
    """Return an account of the territory that has revenue, and how much."""
    for account in assignment.pages("/v1/accounts", territory_id=territory):
        facts = metrics.pages("/v1/facts", account_id=account["account_id"])
        own = sum((Decimal(fact["amount"]) for fact in facts if fact["kind"] == "order"), Decimal(0))
        if own:
            return account, own
    raise AssertionError("nobody there sold anything")


def _deliver(assignment: Service, record: dict) -> tuple[int, int]:
    """Send as a CRM does, the body as it was signed; return how many accounts changed, and were aligned."""
    content = json.dumps({"delivery_id": f"flow-{uuid4()}", "records": [record]}).encode()
    timestamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Bailiwick-Timestamp": timestamp,
        "X-Bailiwick-Signature": signature,
    }
    taken = assignment.send("POST", "/v1/webhooks/salesforce", content=content, headers=headers).body
    return taken["changed"], taken["aligned"]


def _revenue(metrics: Service, view: str) -> Decimal:
    rows = trailing_figures(metrics, view).body["rows"]
    return totals_of([row for row in rows if row["territory_id"] == str(territory_id(TARGET))])["revenue"]


def _until(holds, what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)
