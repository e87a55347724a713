"""A CRM beside Bailiwick: its records come in as they are, twice if need be, and a change there is felt here at once."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from deploy.demo.client import Answer, Installation, Service
from deploy.demo.failing import DemoFailed
from deploy.demo.tour.crm_plans import SYSTEM, exchange_plans
from deploy.demo.tour.estimating import estimate_potential
from deploy.demo.tour.stage import SUBJECT, Stage, Stopwatch, short
from deploy.demo.tour.subscriber import Subscriber

SECRET = "the tour's own secret with Salesforce"  # noqa: S105 - for this tour only
PATIENCE = 30.0
_PLACE = {"BillingPostalCode": "postal_code", "County_FIPS__c": "county", "BillingStateCode": "state"}


@dataclass(frozen=True)
class Place:
    """Where an account of the demo lies, in the words of the CRM, and the territory that it has."""

    address: dict[str, Any]
    territory_id: str


def connect_crm(stage: Stage, installation: Installation) -> None:
    """Exchange records and plans with a CRM, let it tell a change by webhook, and learn from what is known."""
    assignment = installation.service("assignment", role="admin", subject=SUBJECT)
    here, there = _two_places(assignment)
    records = _records(here)
    _rehearse(stage, assignment, records)
    _import(stage, assignment, records)
    _export(stage, assignment, records)
    exchange_plans(stage, assignment)
    subscriber = Subscriber(installation.endpoints.kafka_bootstrap_servers)
    try:
        _tell_by_webhook(stage, assignment, subscriber, records[0], there)
    finally:
        subscriber.close()
        # As it was, for the next tour.
        assignment.post(f"{SYSTEM}/imports", {"Account": records})
    estimate_potential(stage, assignment)


def _two_places(assignment: Service) -> tuple[Place, Place]:
    """Return the places of two accounts that their places alone keep in different territories."""
    found: dict[str, Place] = {}
    for account in assignment.get("/v1/accounts", limit=200).body["items"]:
        path = f"/v1/accounts/{account['account_id']}/explanation"
        rule = assignment.get(path).body["ground"]["rule"]
        fields = {one["field"] for one in rule["comparisons"]} if rule else {"none"}
        if fields <= {"county", "postal_code", "state"}:
            address = {told: account[ours] for told, ours in _PLACE.items()}
            found.setdefault(
                account["alignment"]["territory_id"], Place(address, account["alignment"]["territory_id"])
            )
        if len(found) == 2:
            here, there = found.values()
            return here, there
    raise DemoFailed("The demo's accounts lie in one territory: seed the demo again.")


def _records(place: Place) -> list[dict[str, Any]]:
    names = ("Harbor Outfitters", "Harbor Foods", "Harbor Clinics")
    return [
        {"Id": f"001TOUR{number}", "Name": name, "NumberOfEmployees": 40 + number, **place.address}
        for number, name in enumerate(names)
    ]


def _rehearse(stage: Stage, assignment: Service, records: list[dict[str, Any]]) -> None:
    stage.step("A CRM's records, rehearsed: every row is told, nothing is kept")
    wrong = {"Id": "001TOUR9", "Name": "Nowhere Ltd", "BillingLatitude": 123.4, "BillingLongitude": 0}
    before = _known(assignment, "001TOUR9")
    answer = assignment.post(f"{SYSTEM}/imports?dry_run=true", {"Account": [*records, wrong]})
    _show_tally(stage, answer)
    (error,) = answer.body["errors"]
    stage.fields(
        {"row": error["row"], "field": error["field"], "code": error["code"], "fix": error["detail"]}
    )
    stage.check(
        "the wrong row is named with its field and its fix",
        holds=(error["row"], error["field"]) == (3, "BillingLatitude"),
    )
    stage.check("the dry run kept nothing", holds=before is None and _known(assignment, "001TOUR9") is None)


def _import(stage: Stage, assignment: Service, records: list[dict[str, Any]]) -> None:
    stage.step("Imported by external id: sent again, nothing changes")
    first = assignment.post(f"{SYSTEM}/imports", {"Account": records})
    _show_tally(stage, first)
    again = assignment.post(f"{SYSTEM}/imports", {"Account": records})
    _show_tally(stage, again)
    (tally,) = [one for one in again.body["objects"] if one["object"] == "Account"]
    stage.check(
        f"{len(records)} records came again, {tally['unchanged']} are as they were",
        holds=tally["unchanged"] == len(records),
    )
    stage.figures["imported"] = len(records)


def _export(stage: Stage, assignment: Service, records: list[dict[str, Any]]) -> None:
    stage.step("What goes out comes in the same")
    names = {record["Id"] for record in records}
    out: list[dict[str, Any]] = []
    for page in _export_pages(assignment):
        out += [record for record in page if record["Id"] in names]
    back = assignment.post(f"{SYSTEM}/imports?dry_run=true", {"Account": out})
    _show_tally(stage, back)
    (tally,) = [one for one in back.body["objects"] if one["object"] == "Account"]
    stage.check(
        "the exported records, taken in again, change nothing",
        holds=(tally["received"], tally["unchanged"]) == (len(records), len(records)),
    )


def _tell_by_webhook(
    stage: Stage, assignment: Service, subscriber: Subscriber, record: dict[str, Any], there: Place
) -> None:
    stage.step("The CRM tells a change, signed: the account is aligned anew and announced")
    body = {"secret": SECRET, "keep_previous_hours": 0}
    source = assignment.send("PUT", "/v1/webhook-sources/salesforce", body=body)
    stage.show(source, {"secret since": source.body["secret_since"]})
    change = {"delivery_id": f"tour-{uuid4()}", "records": [{**record, **there.address}]}
    forged = _deliver(assignment, change, secret=SECRET[::-1], accept={HTTPStatus.UNAUTHORIZED})
    stage.show(forged, {"code": forged.body["code"]})
    stage.check("signed with another secret it is refused", holds=forged.status == HTTPStatus.UNAUTHORIZED)
    since = Stopwatch()
    taken = _deliver(assignment, change)
    stage.show(taken, {name: taken.body[name] for name in ("changed", "aligned")})
    account = _known(assignment, record["Id"])
    if account is None:
        raise DemoFailed(f"{record['Id']} is not registered.")
    (event,) = subscriber.wait_for(
        lambda event: event.data.get("account_id") == account["account_id"], count=1, seconds=PATIENCE
    )
    stage.figures["announced_after_seconds"] = round(since.seconds, 3)
    told = event.data
    stage.fields({"on Kafka": event.headers["ce_type"], "to": short(told["to_territory_id"])})
    moved = account["alignment"]["territory_id"] == told["to_territory_id"] == there.territory_id
    stage.check(f"it has its new territory, and Kafka says so {since.seconds:.2f} s later", holds=moved)
    again = _deliver(assignment, change)
    outcomes = {one["outcome"] for one in again.body["records"]}
    stage.check("the same delivery once more is absorbed", holds=outcomes == {"duplicate"})


def _deliver(
    assignment: Service,
    change: dict[str, Any],
    *,
    secret: str = SECRET,
    accept: set[HTTPStatus] | None = None,
) -> Answer:
    """Send as a CRM does: the body as it is signed, byte for byte."""
    content, timestamp = json.dumps(change).encode(), str(int(time.time()))
    signature = hmac.new(secret.encode(), timestamp.encode() + b"." + content, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Bailiwick-Timestamp": timestamp,
        "X-Bailiwick-Signature": signature,
    }
    return assignment.send("POST", "/v1/webhooks/salesforce", content=content, headers=headers, accept=accept)


def _export_pages(assignment: Service) -> Any:
    cursor: str | None = None
    while True:
        page = assignment.get(f"{SYSTEM}/accounts", limit=500, cursor=cursor).body
        yield page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def _known(assignment: Service, external_id: str) -> dict[str, Any] | None:
    found: list[dict[str, Any]] = assignment.get("/v1/accounts", external_id=external_id).body["items"]
    return found[0] if found else None


def _show_tally(stage: Stage, answer: Answer) -> None:
    for tally in answer.body["objects"]:
        if tally["received"]:
            stage.show(answer, {name: value for name, value in tally.items() if name != "received"})
