"""A territory changes hands with a holdover: whom mentions reach in collab, and whose the figures are in metrics."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from uuid import uuid4

import pytest

from deploy.demo.client import Service, wait_until
from deploy.demo.tree import territory_id
from shared.contracts.identity import rep_id_of
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

TERRITORY = "Sacramento, CA"
AMOUNT = Decimal("123.45")


def test_a_hand_over_with_holdover_reaches_mentions_and_figures_by_rep(seeded: ServiceProcesses) -> None:
    assignment, metrics, collab = (
        seeded.api(name, role="admin") for name in ("assignment", "metrics", "collab")
    )
    territory = str(territory_id(TERRITORY))
    account = next(iter(assignment.pages("/v1/accounts", territory_id=territory)))
    before = _running(assignment, territory)["primary"]["rep_id"]
    after = _hire(assignment)
    manager = seeded.api("collab", role="manager", scope=territory)
    course = {"name": "Handing over", "courses": [{"code": "talk", "title": "Talk to each other"}]}
    programme = collab.post("/v1/programmes", course).body["programme_id"]

    until = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    handed = {
        "territory_id": territory,
        "rep_id": after,
        "holdover_until": until,
        "holdover_share_percent": 20,
    }
    begun = assignment.post("/v1/coverages", handed).body
    running = _running(assignment, territory)
    assert {role: one["rep_id"] for role, one in running.items()} == {"primary": after, "holdover": before}
    try:
        day = _sell(metrics, account, begun["valid_from"])
        _until(lambda: _by_rep(metrics, territory, day).get(after, 0) >= AMOUNT, "the successor's figures")
        assert before not in _by_rep(metrics, territory, day), "a holdover is credited nothing"
        both = {territory: (after, None), before: (before, None)}
        _until(lambda: _mentioned(collab, account, territory, before) == both, "mentions to reach both")
        for rep in (after, before):
            _until(lambda rep=rep: _is_trained_by(manager, rep, programme), "the manager to see to them")

        # Told twice in one go: for a later day at first, then for now. What was told last counts.
        seeded.stop("metrics.consumer")
        endings = f"/v1/coverages/{begun['coverage_id']}/endings"
        assignment.post(endings, {"valid_to": (datetime.now(UTC) + timedelta(days=5)).isoformat()})
        ended = assignment.post(endings).body["valid_to"]
        assignment.post(f"/v1/coverages/{running['holdover']['coverage_id']}/endings")
        nobody = {territory: (None, "nobody-covers"), before: (before, "cannot-see-subject")}
        _until(lambda: _mentioned(collab, account, territory, before) == nobody, "mentions to reach nobody")
        assert not _is_trained_by(manager, before, programme)
        day = _sell(metrics, account, ended)
        seeded.start("metrics.consumer")
        _until(lambda: _by_rep(metrics, territory, day).get(None, 0) >= AMOUNT, "the figures of nobody")
        assert not {before, after} & _by_rep(metrics, territory, day).keys()
    finally:
        for role, one in _running(assignment, territory).items():
            if role == "holdover":
                assignment.post(f"/v1/coverages/{one['coverage_id']}/endings")
        assignment.post("/v1/coverages", {"territory_id": territory, "rep_id": before})


def _hire(assignment: Service) -> str:
    external_id = f"flow-{uuid4().hex[:8]}"
    assignment.upload("/v1/reps/imports", iter([{"external_id": external_id, "name": "Next Hand"}]))
    return str(rep_id_of(external_id))


def _running(assignment: Service, territory: str) -> dict[str, dict]:
    """Return who covers the territory now, by role."""
    items = assignment.get("/v1/coverages", territory_id=territory, running=True).body["items"]
    return {one["role"]: one for one in items}


def _sell(metrics: Service, account: dict, at: str) -> str:
    """Post an order of this instant; return its day."""
    name = f"flow-{uuid4()}"
    fact = {"source": "test", "kind": "order", "external_id": name, "revision": 1, "created_at": at}
    fact |= {"occurred_at": at, "account_external_id": account["external_id"], "currency": "USD"}
    metrics.post("/v1/facts", {"facts": [{**fact, "amount": str(AMOUNT)}]}, key=name)
    return at[:10]


def _by_rep(metrics: Service, territory: str, day: str) -> dict[str | None, Decimal]:
    """Return the day's revenue in the territory by rep; None stands for what nobody covers."""
    end = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
    asked = {"metric_id": "revenue", "view": "as_is", "group_by": "rep", "territory_id": territory}
    rows = metrics.get("/v1/metrics", **asked, **{"from": day, "to": end}).body["rows"]
    return {
        row["rep_id"]: sum((Decimal(one["value"] or 0) for one in row["values"]), Decimal(0)) for row in rows
    }


def _mentioned(collab: Service, account: dict, territory: str, rep: str) -> dict[str, tuple]:
    """Mention the territory and a rep in a note on the account; return whom each meant, and why not."""
    mentions = [{"type": "territory", "id": territory}, {"type": "rep", "id": rep}]
    subject = {"type": "account", "id": account["account_id"]}
    note = collab.post("/v1/notes", {"subject": subject, "body": "Who calls?", "mentions": mentions}).body
    return {one["id"]: (one["recipient"], one["reason"]) for one in note["mentions"]}


def _is_trained_by(manager: Service, rep: str, programme: str) -> bool:
    """Have the manager enrol the rep; tell whether it is theirs to do, now or done before."""
    body = {"programme_id": programme, "rep_id": rep}
    others = {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}
    return manager.send("POST", "/v1/enrolments", body=body, accept=others).status != HTTPStatus.NOT_FOUND


def _until(holds, what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=30)
