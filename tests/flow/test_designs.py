"""From a demo organisation's draft to a proposal it takes over: designed by assignment's worker, announced on Kafka."""

from typing import Any

import pytest

from deploy.demo.client import Service, wait_until
from shared.contracts.assignment import DESIGNS
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

# An engine that nobody has loaded on this machine compiles for a minute.
pytestmark = pytest.mark.timeout(360)


def test_a_draft_is_designed_and_takes_the_proposal_over(seeded: ServiceProcesses):
    assignment = seeded.api("assignment", role="admin")
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "Designed"})
    plan = draft.body["plan_id"]
    asked = {"mode": "realign", "measures": [{"measure": "accounts", "tolerance": 0.5}]}
    run = assignment.post(f"/v1/plans/{plan}/design-runs", asked).body["run_id"]
    ended = _ended(assignment, run)
    assert ended["state"] in {"finished", "infeasible"}, ended
    proposal = assignment.get(f"/v1/design-runs/{run}/proposal").body
    places = list(assignment.pages(f"/v1/design-runs/{run}/proposal/accounts"))
    assert len(places) == proposal["accounts"] > 500
    assert sum(one["moved"] for one in places) >= proposal["moved_accounts"]

    accepted = assignment.post(f"/v1/design-runs/{run}/acceptances", {}, etag=draft.etag).body
    assert accepted["accounts"] == len(places)
    _until(lambda: len(_announced(seeded, run)) == 2, "both announcements")
    finished, taken = _announced(seeded, run)
    assert (finished["state"], finished["accounts"]) == (ended["state"], len(places))
    assert (taken["whole"], taken["accounts"]) == (True, len(places))


def _ended(assignment: Service, run: str) -> dict[str, Any]:
    _until(lambda: assignment.get(f"/v1/design-runs/{run}").body["ended_at"], "the run to end", seconds=300)
    return assignment.get(f"/v1/design-runs/{run}").body


def _announced(seeded: ServiceProcesses, run: str) -> list[dict[str, Any]]:
    heard = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()
    return [one.data for one in heard[DESIGNS] if one.data["design_run_id"] == run]


def _until(holds: Any, what: str, *, seconds: float = 60) -> None:
    wait_until(lambda: None if holds() else what, what="waiting", seconds=seconds)
