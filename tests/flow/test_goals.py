"""A goal that falls behind in metrics becomes a note in collab, over Kafka."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.client import wait_until
from deploy.demo.tree import ROOT, territory_id
from tests.flow.event_log import EventLog
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)


def test_a_goal_at_risk_is_found_as_a_note_on_its_territory(seeded: ServiceProcesses) -> None:
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
        notes = collab.pages("/v1/notes", subject_type="territory", subject_id=root)
        found = [note for note in notes if drafted.body["goal_id"] in (note["body"] or "")]
        return None if len(found) == 1 else f"{len(found)} notes"

    wait_until(missing, what="collab", seconds=60)
    told = EventLog(seeded.bootstrap_servers, seeded.topic_prefix).read()["metrics.goal.events.v1"]
    heard = [event for event in told if event.key == drafted.body["goal_id"]]
    assert [event.data["end_day"] for event in heard] == [body["end_day"]]
    ended = metrics.post(f"{path}/cancellations")
    assert ended.body["state"] == "cancelled"
