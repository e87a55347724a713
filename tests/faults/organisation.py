"""A small organisation: a live plan with 8 territories by county, 300 accounts, one order of a known amount each."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

from deploy.demo.arrival import UNASSIGNED, totals_of
from deploy.demo.client import wait_until
from tests.faults.load import COUNTIES, KEYS
from tests.processes import ServiceProcesses

AMOUNT = Decimal("100.25")
PATIENCE = 180.0


def found_organisation(fleet: ServiceProcesses) -> None:
    """Import the accounts, put the plan in force, post an order per account, and wait until they are counted."""
    assignment = fleet.api("assignment", role="admin")
    metrics = fleet.api("metrics", role="admin")
    rows = (
        {"external_id": f"K-{n}", "name": f"K-{n}", "county": COUNTIES[n % len(COUNTIES)]}
        for n in range(1, KEYS + 1)
    )
    assignment.upload("/v1/accounts/imports", rows)
    plan = assignment.post("/v1/plans", {"name": "Faults"})
    path = f"/v1/plans/{plan.body['plan_id']}"
    territories = {county: str(uuid4()) for county in COUNTIES}
    tree = [
        {"territory_id": id_, "name": county, "kind": "geographic"} for county, id_ in territories.items()
    ]
    rules = [
        {
            "name": county,
            "territory_id": id_,
            "position": 1,
            "condition": {"field": "county", "op": "eq", "value": county},
        }
        for county, id_ in territories.items()
    ]
    etag = assignment.put(f"{path}/territories", {"territories": tree}, etag=plan.etag or "").etag
    etag = assignment.put(f"{path}/rules", {"rules": rules}, etag=etag or "").etag
    start = datetime.now(UTC) - timedelta(days=30)
    assignment.post(f"{path}/activations", {"effective_at": start.isoformat()}, etag=etag)
    metrics.post("/v1/facts", {"facts": [_order(n, start) for n in range(1, KEYS + 1)]}, key="orders")
    wait_until(lambda: missing_figures(fleet), what="the orders", seconds=PATIENCE, every=0.3)


def _order(number: int, start: datetime) -> dict[str, object]:
    at = (start + timedelta(days=1 + number % 28)).isoformat()
    return {
        "source": "faults",
        "kind": "order",
        "external_id": f"O-{number}",
        "revision": 1,
        "created_at": at,
        "occurred_at": at,
        "account_external_id": f"K-{number}",
        "amount": str(AMOUNT),
        "currency": "USD",
    }


def missing_figures(fleet: ServiceProcesses) -> str | None:
    """Return how the figures differ from one order per account, each credited to a territory."""
    for view in ("as_was", "as_is"):
        today = datetime.now(UTC).date()
        window = {"from": date(today.year - 1, 1, 1), "to": date(today.year + 1, 1, 1)}
        body = fleet.api("metrics", role="admin").get("/v1/figures", view=view, **window).body
        revenue = totals_of(body["totals"])["revenue"]
        homeless = totals_of([row for row in body["rows"] if row["territory_id"] == UNASSIGNED])
        if revenue != AMOUNT * KEYS:
            return f"revenue {view} is {revenue} instead of {AMOUNT * KEYS}"
        if homeless["orders"]:
            return f"{homeless['orders']} orders {view} belong to nobody"
    return None
