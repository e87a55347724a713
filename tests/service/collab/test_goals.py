"""A goal at risk gets a thread, for whoever sees its territory; what becomes of it is told in replies, each once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from services.collab.notes.queries import list_notes
from services.collab.notes.visibility import Viewer
from shared.contracts.metrics import GoalAtRisk, GoalCancelled, GoalRecovered, GoalSettled
from shared.db.scope import Scope
from tests.service.collab.conftest import NORTH, NORTH_CITY, SOUTH, Collab

MORNING = datetime(2026, 11, 23, 9, tzinfo=UTC)


def _about(goal: UUID, territory: UUID) -> dict[str, Any]:
    return {"goal_id": goal, "territory_id": territory, "metric_id": "revenue", "currency": "USD"}


def _at_risk(goal: UUID, territory: UUID, *, at: datetime = MORNING) -> GoalAtRisk:
    return GoalAtRisk(
        **_about(goal, territory),
        target=Decimal(100),
        value=Decimal(10),
        value_due=Decimal(50),
        pace=Decimal("0.2"),
        forecast=None,
        forecast_low=None,
        forecast_high=None,
        end_day=date(2027, 1, 1),
        noticed_at=at,
    )


def _recovered(goal: UUID, territory: UUID, *, at: datetime) -> GoalRecovered:
    return GoalRecovered(
        **_about(goal, territory), value=Decimal(60), value_due=Decimal(60), pace=Decimal(1), noticed_at=at
    )


def _settled(goal: UUID, territory: UUID) -> GoalSettled:
    return GoalSettled(
        **_about(goal, territory),
        outcome="missed",
        target=Decimal(100),
        value=Decimal(90),
        settled_at=MORNING + timedelta(days=40),
    )


async def _notes(collab: Collab, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await collab.http.get(path, headers=headers)).json()["items"]
    return items


async def test_a_goal_at_risk_gets_a_thread_that_is_seen_with_its_territory(collab: Collab) -> None:
    await collab.go_live()
    goal = uuid4()
    await collab.feed(_at_risk(goal, NORTH))
    path = f"/v1/notes?subject_type=goal&subject_id={goal}"
    northern = collab.as_("viewer", territories=[NORTH])
    (note,) = await _notes(collab, path, northern)
    assert note["body"].startswith("The goal is at risk: revenue of 100 USD")
    assert (note["author"], note["thread_id"]) == ("system", None)
    # In a list of everything, too, which is found from the scope.
    assert await _notes(collab, "/v1/notes", northern) == [note]
    for elsewhere in (SOUTH, NORTH_CITY):
        outsider = collab.as_("contributor", territories=[elsewhere])
        assert await _notes(collab, path, outsider) == []
        assert await _notes(collab, "/v1/notes", outsider) == []
        body = {"subject": {"type": "goal", "id": str(goal)}, "body": "x"}
        assert (await collab.http.post("/v1/notes", json=body, headers=outsider)).status_code == 404
    told = [payload for kind, payload in await collab.outbox() if kind == "collab.note.written.v1"]
    assert [(one["note_id"], one["subject_id"]) for one in told] == [(note["note_id"], str(goal))]


async def test_what_becomes_of_the_goal_is_told_in_its_thread_each_once(collab: Collab) -> None:
    """Also when the whole topic is read again from its beginning: the notes are there already."""
    await collab.go_live()
    goal = uuid4()
    story = [
        _at_risk(goal, NORTH),
        _recovered(goal, NORTH, at=MORNING + timedelta(days=1)),
        _at_risk(goal, NORTH, at=MORNING + timedelta(days=2)),
        _settled(goal, NORTH),
    ]
    for _ in range(2):
        for event in story:
            await collab.feed(event)
    northern = collab.as_("viewer", territories=[NORTH])
    first, *replies = await _notes(collab, f"/v1/notes?subject_type=goal&subject_id={goal}", northern)
    assert [note["body"].splitlines()[0] for note in replies] == [
        "The goal is back on its pace. It stands at 60 USD; 60 USD is due by now.",
        "The goal is at risk again: revenue of 100 USD by 2027-01-01.",
        "The goal was missed: 90 USD of 100 USD (revenue).",
    ]
    assert {note["thread_id"] for note in replies} == {first["note_id"]}
    assert await _notes(collab, f"/v1/notes/{first['note_id']}/replies", northern) == replies
    assert len(await collab.outbox()) == len(story)


async def test_that_a_goal_is_given_up_is_told_where_it_was_at_risk(collab: Collab) -> None:
    await collab.go_live()
    worried, quiet = uuid4(), uuid4()
    await collab.feed(_at_risk(worried, NORTH))
    for goal in (worried, quiet):
        await collab.feed(GoalCancelled(**_about(goal, NORTH), cancelled_at=MORNING + timedelta(days=1)))
    northern = collab.as_("viewer", territories=[NORTH])
    (_, reply) = await _notes(collab, "/v1/notes?subject_type=goal", northern)
    assert (reply["subject"]["id"], reply["body"]) == (str(worried), "The goal was given up (revenue).")


async def test_whoever_answered_hears_how_it_went_on(collab: Collab) -> None:
    await collab.go_live()
    goal = uuid4()
    await collab.feed(_at_risk(goal, NORTH))
    ann = collab.as_("contributor", territories=[NORTH], subject="ann")
    (note,) = await _notes(collab, f"/v1/notes?subject_type=goal&subject_id={goal}", ann)
    answer = await collab.http.post(
        f"/v1/notes/{note['note_id']}/replies", json={"body": "I call them all."}, headers=ann
    )
    assert answer.status_code == 201
    await collab.feed(_recovered(goal, NORTH, at=MORNING + timedelta(days=1)))
    (item,) = (await collab.http.get("/v1/inbox", headers=ann)).json()["items"]
    assert (item["reason"], item["subject_id"]) == ("reply", str(goal))


async def test_a_goal_that_was_never_at_risk_gets_no_thread(collab: Collab) -> None:
    await collab.go_live()
    await collab.feed(_settled(uuid4(), NORTH))
    assert await collab.outbox() == []


async def test_pages_of_a_scope_hold_its_goals_and_no_note_twice(collab: Collab) -> None:
    """Its author sees a note on a goal of elsewhere no more once its territory is known; nobody sees one twice."""
    await collab.go_live()
    mine, theirs = uuid4(), uuid4()
    await collab.feed(_at_risk(mine, NORTH_CITY), _at_risk(theirs, SOUTH))
    viewer = Viewer("system", Scope(False, (NORTH,)))
    async with collab.engine.connect() as read:
        found = await list_notes(read, subject_type=None, subject_id=None, viewer=viewer, after=None, limit=9)
    assert [note.subject.id for note in found] == [mine]
