"""Across the services: HTTP to outbox to Kafka to the others, with every process real."""

import json
import subprocess
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from deploy.demo.arrival import totals_of, trailing_figures
from deploy.demo.client import Service, wait_until
from deploy.demo.tour.planning import SOURCE, TARGET
from deploy.demo.tour.scene import SCENES
from deploy.demo.tree import territory_id
from deploy.local.paths import REPOSITORY
from shared.contracts.registry import CONTRACTS
from tests.flow.conftest import ACCOUNTS
from tests.flow.event_log import EventLog, Heard
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)


def test_the_tour_ends_well_twice(seeded: ServiceProcesses, tmp_path: Path):
    """A tour leaves nothing behind that would keep the next one from ending well."""
    for _ in range(2):
        report = tmp_path / "tour.json"
        done = _demo(seeded, "tour", "--report", str(report))
        assert done.returncode == 0, done.stdout
        scenes = json.loads(report.read_text())["scenes"]
        assert [scene["name"] for scene in scenes] == [scene.name for scene in SCENES]
        assert all(scene["ok"] for scene in scenes)
        scene = scenes[0]
        assert scene["figures"]["moved"] > 0
        assert Decimal(scene["figures"]["revenue_moved_usd"]) > 0


def test_a_second_seeding_finds_everything_done(seeded: ServiceProcesses):
    done = _demo(seeded, "seed", "--accounts", str(ACCOUNTS))
    assert done.returncode == 0, done.stdout
    assert f"stands: {ACCOUNTS} accounts" in done.stdout
    assert "imported" not in done.stdout


def test_a_moved_account_takes_its_revenue_along_and_no_handoff_without_an_activation(
    seeded: ServiceProcesses,
):
    """An account that changes its address is realigned at once; nobody planned it, so nobody hands over."""
    assignment, metrics, collab = _apis(seeded)
    account = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(SOURCE)))))
    there = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(TARGET)))))
    before = _revenue(metrics, "as_is", TARGET)
    own = _revenue_of(metrics, account["account_id"])

    moved = {name: account[name] for name in ("external_id", "name", "industry", "employees")}
    moved |= {name: there[name] for name in ("postal_code", "county", "state", "latitude", "longitude")}
    report = assignment.upload("/v1/accounts/imports", iter([moved])).body
    assert (report["changed"], report["aligned"]) == (1, 1)

    _until(lambda: _revenue(metrics, "as_is", TARGET) == before + own, "the revenue to move")
    assert next(collab.pages("/v1/handoffs", account_id=account["account_id"], state="sent"), None) is None
    assignment.upload("/v1/accounts/imports", iter([_file_row(account)]))
    _until(lambda: _revenue(metrics, "as_is", TARGET) == before, "the revenue to come back")


def test_a_fact_may_come_before_its_account(seeded: ServiceProcesses):
    """Facts and alignments arrive in any order: what nobody holds yet is counted as such, then credited."""
    assignment, metrics, _ = _apis(seeded)
    name = f"LATE-{uuid4()}"
    now = datetime.now(UTC).isoformat()
    fact = {"source": "test", "kind": "order", "external_id": name, "revision": 1, "created_at": now}
    fact |= {"occurred_at": now, "account_external_id": name, "amount": "12.34", "currency": "USD"}
    organisation = totals_of(trailing_figures(metrics, "as_is").body["totals"])["revenue"]
    before = _revenue(metrics, "as_is", TARGET)

    metrics.post("/v1/facts", {"facts": [fact]}, key=name)
    _until(
        lambda: (
            totals_of(trailing_figures(metrics, "as_is").body["totals"])["revenue"]
            == organisation + Decimal("12.34")
        ),
        "the order to count for the organisation",
    )
    assert _revenue(metrics, "as_is", TARGET) == before

    home = next(iter(assignment.pages("/v1/accounts", territory_id=str(territory_id(TARGET)))))
    assignment.upload("/v1/accounts/imports", iter([{**_file_row(home), "external_id": name, "name": name}]))
    _until(
        lambda: _revenue(metrics, "as_is", TARGET) == before + Decimal("12.34"),
        "the order to count for the territory",
    )


def test_collab_catches_up_after_it_was_away(seeded: ServiceProcesses):
    """Any service can be down while the others answer; what it missed waits for it in Kafka."""
    assignment, _, collab = _apis(seeded)
    seeded.stop("collab.consumer")
    live = assignment.get("/v1/plans", state="active").body["items"][0]
    draft = assignment.post(f"/v1/plans/{live['plan_id']}/clones", {"name": "while collab was away"})
    plan = f"/v1/plans/{draft.body['plan_id']}"
    rule = next(
        rule
        for rule in assignment.pages(f"{plan}/rules", territory_id=str(territory_id(SOURCE)))
        if rule["condition"]["field"] == "postal_code"
    )
    body = {**rule, "territory_id": str(territory_id(TARGET))}
    tag = assignment.put(f"{plan}/rules/{body.pop('rule_id')}", body, etag=draft.etag).etag
    activation = assignment.post(f"{plan}/activations", etag=tag).body
    assert activation["moved"] > 0

    def counts() -> dict:
        return collab.get("/v1/handoffs/summary", activation_id=activation["activation_id"]).body

    assert counts()["total"] == 0

    seeded.start("collab.consumer")
    _until(lambda: counts()["sent"] == activation["moved"], "the handoffs")
    assignment.post(f"{plan}/rollbacks")
    _until(lambda: counts()["superseded"] == activation["moved"], "the handoffs to go")


def test_placed_accounts_take_their_revenue_along_and_are_handed_over(seeded: ServiceProcesses):
    """What moves because a plan places it is a move like any other to those who follow: only its cause differs."""
    assignment, metrics, collab = _apis(seeded)
    source, target = str(territory_id(SOURCE)), str(territory_id(TARGET))
    accounts = list(assignment.pages("/v1/accounts", territory_id=source))[:2]
    own = sum((_revenue_of(metrics, one["account_id"]) for one in accounts), Decimal(0))
    before = _revenue(metrics, "as_is", TARGET)
    live = assignment.get("/v1/plans", state="active").body["items"][0]
    draft = assignment.post(f"/v1/plans/{live['plan_id']}/clones", {"name": "placed by hand"})
    plan = f"/v1/plans/{draft.body['plan_id']}"
    pairs = [{"account_id": one["account_id"], "territory_id": target} for one in accounts]
    placed = assignment.put(f"{plan}/placements", {"placements": pairs}, etag=draft.etag)
    assert placed.body["added"] == 2
    activation = assignment.post(f"{plan}/activations", etag=placed.etag).body
    assert activation["moved"] == 2

    def handoffs() -> dict:
        return collab.get("/v1/handoffs/summary", activation_id=activation["activation_id"]).body

    _until(lambda: handoffs()["sent"] == 2, "the handoffs")
    _until(lambda: _revenue(metrics, "as_is", TARGET) == before + own, "the revenue to move")
    told = [
        heard.data["cause"]
        for heard in EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()[
            "assignment.account.events.v1"
        ]
        if heard.data.get("activation_id") == activation["activation_id"]
    ]
    assert told == ["design", "design"]
    assignment.post(f"{plan}/rollbacks")
    _until(lambda: handoffs()["superseded"] == 2, "the handoffs to go")
    _until(lambda: _revenue(metrics, "as_is", TARGET) == before, "the revenue to come back")


def test_metrics_proves_its_roll_ups(seeded: ServiceProcesses):
    metrics = seeded.api("metrics", role="admin")
    _until(lambda: metrics.post("/v1/reconciliations").body["equal"], "roll-ups that equal their facts")


def test_an_independent_subscriber_sees_every_event(seeded: ServiceProcesses):
    """Valid CloudEvents, one schema each, dense versions per key in order, and not one event missing.

    The SDK refuses headers that are no CloudEvent; the histories that the API tells say how many there are.
    """
    assignment, _, collab = _apis(seeded)
    histories = _histories(assignment)
    handoffs = Counter(handoff["state"] for handoff in collab.pages("/v1/handoffs"))
    log: dict[str, list[Heard]] = {}

    def complete() -> bool:
        log.clear()
        log.update(EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read())
        opened = [heard for heard in log["collab.handoff.events.v1"] if "opened" in heard.event.get_type()]
        return _aligned(log) == histories and len(opened) == handoffs.total()

    _until(complete, "every alignment and every handoff as an event")
    for topic, events in log.items():
        for heard in events:
            assert heard.topic == topic
            assert heard.event.get_source().startswith("/demo/")
            assert heard.event.get_subject() == heard.key
            assert heard.event.get_time() is not None
            contract = CONTRACTS[heard.event.get_type()]
            assert topic == contract.TOPIC
            assert contract.model_validate(heard.data).key == heard.key
        _assert_versions(topic, events)
    ids = [heard.event.get_id() for events in log.values() for heard in events]
    assert len(ids) == len(set(ids))
    assert not [topic for topic in log if topic.endswith(".dlq")]


def _assert_versions(topic: str, events: list[Heard]) -> None:
    order = CONTRACTS[events[0].event.get_type()].ORDER
    by_key: dict[str, list[Heard]] = defaultdict(list)
    for heard in events:
        by_key[heard.key].append(heard)
    for key, versions in by_key.items():
        assert len({heard.partition for heard in versions}) == 1, (topic, key)
        numbers = [heard.version for heard in versions]
        if order == "dense":
            assert numbers == list(range(1, len(numbers) + 1)), (topic, key)
        if order == "rising":
            assert numbers == sorted(set(numbers)), (topic, key)


def _histories(assignment: Service) -> Counter[str]:
    found = Counter[str]()
    for account in assignment.pages("/v1/accounts"):
        history = assignment.get(f"/v1/accounts/{account['account_id']}/alignments").body["items"]
        found[account["account_id"]] = len(history)
    return found


def _aligned(log: dict[str, list[Heard]]) -> Counter[str]:
    return Counter(
        heard.key
        for heard in log["assignment.account.events.v1"]
        if heard.event.get_type() == "assignment.account.aligned.v1"
    )


def _apis(seeded: ServiceProcesses) -> list[Service]:
    return [seeded.api(name, role="admin") for name in ("assignment", "metrics", "collab")]


def _revenue(metrics: Service, view: str, name: str) -> Decimal:
    rows = trailing_figures(metrics, view).body["rows"]
    return totals_of([row for row in rows if row["territory_id"] == str(territory_id(name))])["revenue"]


def _revenue_of(metrics: Service, account_id: str) -> Decimal:
    facts = metrics.pages("/v1/facts", account_id=account_id)
    return sum((Decimal(fact["amount"]) for fact in facts if fact["kind"] == "order"), Decimal(0))


def _file_row(account: dict) -> dict:
    names = ("external_id", "name", "postal_code", "county", "state", "latitude", "longitude")
    return {name: account[name] for name in (*names, "industry", "employees")}


def _until(holds, what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)


def _demo(seeded: ServiceProcesses, *arguments: str) -> subprocess.CompletedProcess[str]:
    file = seeded.folder / "endpoints.json"
    seeded.endpoints().write(file)
    command = [sys.executable, "-m", "deploy.demo", "--endpoints", str(file), *arguments]
    return subprocess.run(
        command, env=seeded.environment(), cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
