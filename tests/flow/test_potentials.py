"""From facts of metrics to an estimate of prospects: learnt by assignment's worker, announced, balanced."""

from collections.abc import Callable
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest

from deploy.demo.client import Service, wait_until
from shared.contracts.assignment import POTENTIALS
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)

ESTIMATES = "/v1/potential-estimates"


def test_what_facts_tell_of_customers_becomes_an_estimate_of_prospects(seeded: ServiceProcesses):
    assignment = seeded.api("assignment", role="admin")
    path = f"{ESTIMATES}/{_ask(assignment)['estimate_id']}"
    _until(lambda: assignment.get(path).body["state"] == "completed", "the worker to learn")
    made = assignment.get(path).body
    assert made["known_accounts"] >= 100
    assert made["method"] == ("gradient_boosting" if made["trial"]["beats_baseline"] else "industry_median")
    estimated = list(assignment.pages(f"{path}/accounts", known="false"))
    assert len(estimated) == made["prospects"] > 0
    assert all(Decimal(row["estimated_amount"]) > 0 for row in estimated)

    _until(lambda: _announced(seeded, made["estimate_id"]), "the announcement")
    (event,) = _announced(seeded, made["estimate_id"])
    assert (event["method"], event["prospects"]) == (made["method"], made["prospects"])
    assert event["baseline_error"] == made["trial"]["baseline"]["mean_absolute"]

    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    balance = assignment.get(f"/v1/plans/{live}/balance", potential_estimate_id=made["estimate_id"]).body
    totals = {spread["measure"]: Decimal(spread["total"]) for spread in balance["fairness"]}
    everywhere = assignment.pages(f"{path}/accounts")
    potential = sum(Decimal(row["known_amount"] or row["estimated_amount"]) for row in everywhere)
    # Accounts in a gap are in no territory.
    assert 0 < totals["potential"] <= potential
    assert balance["gaps"] or totals["potential"] == potential


def _ask(assignment: Service) -> dict[str, Any]:
    """Ask until metrics has told of enough accounts."""
    answers: list[dict[str, Any]] = []

    def asked() -> bool:
        body = {"measure": "revenue", "currency": "USD"}
        answer = assignment.send("POST", ESTIMATES, body=body, accept={HTTPStatus.CONFLICT})
        answers.append(answer.body)
        return answer.status == HTTPStatus.ACCEPTED

    _until(asked, "enough known accounts")
    return answers[-1]


def _announced(seeded: ServiceProcesses, estimate_id: str) -> list[dict[str, Any]]:
    heard = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()
    return [one.data for one in heard[POTENTIALS] if one.data["estimate_id"] == estimate_id]


def _until(holds: Callable[[], object], what: str) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=60)
