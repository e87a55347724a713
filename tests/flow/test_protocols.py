"""Protocols across services: a move starts a clock, kill -9 of the worker loses and repeats no step of it."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from deploy.demo.client import Service, wait_until
from deploy.demo.tour.planning import SOURCE, TARGET
from deploy.demo.tree import territory_id
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

TOPIC = "collab.obligation.events.v1"


def test_an_activation_starts_the_clock_of_a_handoff_and_its_acceptance_ends_it(seeded: ServiceProcesses):
    assignment, collab = (seeded.api(name, role="admin") for name in ("assignment", "collab"))
    account = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(SOURCE)))))
    plan = _move(assignment, account, str(territory_id(TARGET)))
    try:
        owed = _owed(collab, account_id=account["account_id"], state="open")
        assert (owed["duty"], owed["protocol_code"]) == ("accept", "handoff-acceptance")
        assert owed["territory_id"] == str(territory_id(TARGET))
        assert datetime.fromisoformat(owed["due_at"]) > datetime.now(UTC) + timedelta(days=1)
        collab.post(f"/v1/handoffs/{owed['subject_id']}/acceptances")
        _until(lambda: _kinds(seeded, owed) == ["opened", "closed"], "the end to be announced")
    finally:
        assignment.post(f"/v1/plans/{plan}/rollbacks")


def test_a_worker_that_is_killed_takes_each_step_once(seeded: ServiceProcesses):
    assignment, collab = (seeded.api(name, role="admin") for name in ("assignment", "collab"))
    account = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(TARGET)))))
    _until(lambda: collab.find(f"/v1/accounts/{account['account_id']}/profile") is not None, "the account")
    seeded.kill("collab.worker")
    called = [_call(collab, account) for _ in range(40)]
    seeded.start("collab.worker")
    _until(lambda: _states(collab, called) >= {"breached"}, "a deadline to be noticed")
    seeded.kill("collab.worker")
    seeded.start("collab.worker")
    _until(lambda: _states(collab, called) == {"breached"}, "every deadline to be noticed")
    last = _owed(collab, subject_id=called[-1])
    _until(lambda: "breached" in _kinds(seeded, last), "the last breach to be announced")
    heard = _all_kinds(seeded)
    for contact in called:
        kinds = heard[_owed(collab, subject_id=contact)["obligation_id"]]
        assert kinds == ["opened", "reminded", "escalated", "breached"]


def _move(assignment: Service, account: dict, territory: str) -> str:
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "by hand"})
    plan = draft.body["plan_id"]
    condition = {"field": "external_id", "op": "eq", "value": account["external_id"]}
    rule = {"name": "by hand", "territory_id": territory, "position": 0, "condition": condition}
    tag = assignment.put(f"/v1/plans/{plan}/rules/{uuid4()}", rule, etag=draft.etag or "").etag
    assert assignment.post(f"/v1/plans/{plan}/activations", etag=tag).body["moved"] == 1
    return plan


def _call(collab: Service, account: dict) -> str:
    """Log that the customer called a month ago: whoever should have answered is long late."""
    at = (datetime.now(UTC) - timedelta(days=30)).isoformat()
    body = {"kind": "received", "channel": "phone", "purpose": "service", "at": at}
    return collab.post(f"/v1/accounts/{account['account_id']}/contacts", body).body["contact_id"]


def _owed(collab: Service, **asked: str) -> dict:
    found: list[dict] = []

    def came() -> bool:
        found[:] = collab.get("/v1/obligations", **asked).body["items"]
        return bool(found)

    _until(came, "the obligation")
    (owed,) = found
    return owed


def _states(collab: Service, contacts: list[str]) -> set[str]:
    return {_owed(collab, subject_id=contact)["state"] for contact in contacts}


def _kinds(seeded: ServiceProcesses, owed: dict) -> list[str]:
    return _all_kinds(seeded)[owed["obligation_id"]]


def _all_kinds(seeded: ServiceProcesses) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = defaultdict(list)
    for heard in EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[TOPIC]:
        kinds[heard.key].append(heard.event.get_type().split(".")[2])
    return kinds


def _until(holds, what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)
