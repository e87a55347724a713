"""A goal that falls behind in metrics gets a thread in collab, over Kafka, for whoever sees its territory."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.client import wait_until
from deploy.demo.tree import ROOT, territory_id
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)


def test_a_goal_at_risk_is_found_as_a_thread_on_the_goal(seeded: ServiceProcesses) -> None:
    metrics, collab = (seeded.api(name, role="admin") for name in ("metrics", "collab"))
    root, today = str(territory_id(ROOT)), datetime.now(UTC).date()
    body = {
        "title": "Everything, twice",
        "metric_id": "revenue",
        "currency": "USD",
        "territory_id": root,
        "owner": "Ann",
        "objective": "Be seen",
        "target": "999999999999.00",
        "first_day": (today - timedelta(days=100)).isoformat(),
        "end_day": (today + timedelta(days=100)).isoformat(),
        "stretch": True,
    }
    drafted = metrics.post("/v1/goals", body)
    path = f"/v1/goals/{drafted.body['goal_id']}"
    metrics.post(f"{path}/activations", etag=drafted.etag)

    def missing() -> str | None:
        found = list(collab.pages("/v1/notes", subject_type="goal", subject_id=drafted.body["goal_id"]))
        return None if len(found) == 1 else f"{len(found)} notes"

    wait_until(missing, what="collab", seconds=60)
    told = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()["metrics.goal.events.v1"]
    heard = [event for event in told if event.key == drafted.body["goal_id"]]
    assert [event.data["end_day"] for event in heard] == [body["end_day"]]
    assert body["title"] not in str(heard[0].data)
    ended = metrics.post(f"{path}/cancellations")
    assert ended.body["state"] == "cancelled"
