"""What a draft would make of the figures, told by metrics before it is live: over Kafka, equal in total."""

from datetime import UTC, datetime, timedelta

import pytest

from deploy.demo.client import Service, wait_until
from deploy.demo.tour.planning import SOURCE, TARGET
from deploy.demo.tree import territory_id
from tests.processes import ServiceProcesses

pytestmark = pytest.mark.timeout(240)


def test_a_previewed_draft_has_its_figures_before_it_is_live(seeded: ServiceProcesses) -> None:
    assignment, metrics = (seeded.api(name, role="admin") for name in ("assignment", "metrics"))
    source, target = str(territory_id(SOURCE)), str(territory_id(TARGET))
    live = assignment.get("/v1/plans", state="active").body["items"][0]["plan_id"]
    draft = assignment.post(f"/v1/plans/{live}/clones", {"name": "The neighbour takes all"})
    plan_id, etag = draft.body["plan_id"], draft.etag or ""
    for rule in list(assignment.pages(f"/v1/plans/{plan_id}/rules", territory_id=source)):
        body = {name: rule[name] for name in ("name", "position", "condition")}
        put = assignment.put(
            f"/v1/plans/{plan_id}/rules/{rule['rule_id']}", {**body, "territory_id": target}, etag=etag
        )
        etag = put.etag or etag
    preview = assignment.post(f"/v1/plans/{plan_id}/previews").body
    assert preview["moved"] == assignment.get(f"/v1/plans/{plan_id}/diff").body["summary"]["moved"] > 0

    wait_until(
        lambda: None if metrics.find(_path("as_planned", plan_id=plan_id)) else "the preview",
        what="metrics",
        seconds=30,
    )
    planned, now = _read(metrics, "as_planned", plan_id), _read(metrics, "as_is", None)
    assert planned["totals"] == now["totals"]
    before, after = _revenue(now), _revenue(planned)
    assert source in before
    assert source not in after
    assert after[target] == before[target] + before[source]
    assert {key: value for key, value in before.items() if key not in {source, target}} == {
        key: value for key, value in after.items() if key not in {source, target}
    }


def _path(view: str, *, plan_id: str | None) -> str:
    today = datetime.now(UTC).date()
    first, end = today - timedelta(days=400), today + timedelta(days=1)
    plan = f"&plan_id={plan_id}" if plan_id else ""
    return f"/v1/metrics?metric_id=revenue&view={view}&group_by=territory&from={first}&to={end}{plan}"


def _read(metrics: Service, view: str, plan_id: str | None) -> dict:
    found = metrics.find(_path(view, plan_id=plan_id))
    assert found is not None
    return found.body


def _revenue(found: dict) -> dict[str, int]:
    """Return cents by territory, for those that have any."""
    values = {row["territory_id"]: row["values"] for row in found["rows"]}
    cents = {key: round(float(value["value"]) * 100) for key, (value, *_) in values.items()}
    return {key: value for key, value in cents.items() if value}
