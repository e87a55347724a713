"""What a customer tells collab, and what it does in assignment: kept, read by rules, counted as fit."""

from collections.abc import Callable
from uuid import uuid4

import pytest

from deploy.demo.client import Service, wait_until
from deploy.demo.tour.planning import SOURCE, TARGET
from deploy.demo.tree import territory_id
from tests.flow.event_log import EventLog, Heard
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

# Nobody else in the demo speaks it, so the rule below moves nobody else.
LANGUAGE = "fi"
CUSTOMERS, ACCOUNTS = "collab.customer.events.v1", "assignment.account.events.v1"


def test_a_language_told_in_collab_moves_the_account_by_a_live_rule(seeded: ServiceProcesses):
    assignment, collab = (seeded.api(name, role="admin") for name in ("assignment", "collab"))
    home, desk = str(territory_id(SOURCE)), str(territory_id(TARGET))
    account = next(iter(assignment.pages("/v1/accounts", territory_id=home)))["account_id"]
    plan, activation = _put_rule_in_force(assignment, desk)
    assert activation["moved"] == 0
    try:
        _tell(collab, account, LANGUAGE)
        _until(lambda: _territory(assignment, account) == desk, "the account to move")
        alignment = assignment.get(f"/v1/accounts/{account}").body["alignment"]
        assert alignment["cause"] == "rule"
        _until(lambda: _aligned(seeded, account)[-1].data["to_territory_id"] == desk, "the aligned event")
        # Nobody planned the move: no activation, and nobody hands over.
        assert _aligned(seeded, account)[-1].data["activation_id"] is None
        assert list(collab.pages("/v1/handoffs", account_id=account, state="sent")) == []
        # Who has the account now sees what was told; who had it does not.
        now, then = (seeded.api("collab", role="viewer", scope=side) for side in (desk, home))
        _until(lambda: now.find(f"/v1/accounts/{account}/profile") is not None, "the profile to move along")
        assert then.find(f"/v1/accounts/{account}/profile") is None
    finally:
        _tell(collab, account, "en")
        _until(lambda: _territory(assignment, account) == home, "the account to come back")
        assignment.post(f"/v1/plans/{plan}/rollbacks")
    told = _heard(seeded, CUSTOMERS, account)
    assert [heard.data["language"] for heard in told][-2:] == [LANGUAGE, "en"]
    assert [heard.version for heard in told] == list(range(1, len(told) + 1))


def test_needs_reach_fit_by_their_kinds_and_their_text_stays_at_home(seeded: ServiceProcesses):
    assignment, collab = (seeded.api(name, role="admin") for name in ("assignment", "collab"))
    account = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(TARGET)))))[
        "account_id"
    ]
    need = collab.post(f"/v1/accounts/{account}/needs", {"kind": "integration", "text": "canary"}).body
    _until(lambda: "integration" in _needs(assignment, account), "the need to arrive")
    tag = {"If-Match": f'"{need["version"]}"'}
    path = f"/v1/accounts/{account}/needs/{need['need_id']}"
    collab.send("PATCH", path, body={"status": "dropped", "drop_reason": "withdrawn"}, headers=tag)
    _until(lambda: "integration" not in _needs(assignment, account), "the need to go")
    statuses = [h.data["status"] for h in _heard(seeded, CUSTOMERS, account) if "status" in h.data]
    assert statuses == ["open", "dropped"]
    assert "canary" not in str(EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read())


def _put_rule_in_force(assignment: Service, territory: str) -> tuple[str, dict]:
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "by language"})
    plan = draft.body["plan_id"]
    condition = {"field": "language", "op": "eq", "value": LANGUAGE}
    rule = {"name": "language", "territory_id": territory, "position": 0, "condition": condition}
    tag = assignment.put(f"/v1/plans/{plan}/rules/{uuid4()}", rule, etag=draft.etag or "").etag
    return plan, assignment.post(f"/v1/plans/{plan}/activations", etag=tag).body


def _tell(collab: Service, account: str, language: str) -> None:
    body = {"name": "language", "value": language, "source": "customer"}
    collab.post(f"/v1/accounts/{account}/preferences", body)


def _territory(assignment: Service, account: str) -> str:
    return assignment.get(f"/v1/accounts/{account}").body["alignment"]["territory_id"]


def _needs(assignment: Service, account: str) -> list[str]:
    return assignment.get(f"/v1/accounts/{account}/fit").body["wanted"]["needs"]


def _heard(seeded: ServiceProcesses, topic: str, account: str) -> list[Heard]:
    events = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[topic]
    return [heard for heard in events if heard.key == account]


def _aligned(seeded: ServiceProcesses, account: str) -> list[Heard]:
    return [heard for heard in _heard(seeded, ACCOUNTS, account) if "aligned" in heard.event.get_type()]


def _until(holds: Callable[[], bool], what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)
