"""A goal at risk becomes a note on its territory, once per event, for whoever sees the territory."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID, uuid4

from shared.contracts.metrics import GoalAtRisk
from tests.service.collab.conftest import NORTH, SOUTH, Collab


def _at_risk(territory: UUID) -> GoalAtRisk:
    return GoalAtRisk(
        goal_id=uuid4(),
        territory_id=territory,
        metric_id="revenue",
        currency="USD",
        target=Decimal(100),
        value=Decimal(10),
        due=Decimal(50),
        pace=Decimal("0.2"),
        forecast=None,
        forecast_low=None,
        forecast_high=None,
        end_day=date(2027, 1, 1),
        noticed_at=datetime(2026, 11, 23, 9, tzinfo=UTC),
    )


async def test_a_goal_at_risk_is_written_on_its_territory(collab: Collab) -> None:
    await collab.go_live()
    event = _at_risk(NORTH)
    await collab.feed(event)
    path = f"/v1/notes?subject_type=territory&subject_id={NORTH}"
    northern = collab.as_("viewer", territories=[NORTH])
    (note,) = (await collab.http.get(path, headers=northern)).json()["items"]
    assert str(event.goal_id) in note["body"]
    assert (note["author"], note["subject"]["id"]) == ("system", str(NORTH))
    southern = collab.as_("viewer", territories=[SOUTH])
    assert (await collab.http.get(path, headers=southern)).json()["items"] == []
    told = [payload for kind, payload in await collab.outbox() if kind == "collab.note.written.v1"]
    assert [(one["note_id"], one["author_id"]) for one in told] == [(note["note_id"], None)]


async def test_a_goal_may_come_before_the_tree_that_has_its_territory(collab: Collab) -> None:
    """Topics come in any order: the note waits for its territory and not the consumer."""
    await collab.feed(_at_risk(NORTH))
    await collab.go_live()
    path = f"/v1/notes?subject_type=territory&subject_id={NORTH}"
    found = await collab.http.get(path, headers=collab.as_("viewer", territories=[NORTH]))
    assert len(found.json()["items"]) == 1
