"""What is written on a goal that falls behind, recovers or ends, and under which ids."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from services.collab.goals.notes import describe, note_id_of
from shared.contracts.metrics import GoalAtRisk


def at_risk(**told: Any) -> GoalAtRisk:
    usual: dict[str, Any] = {
        "goal_id": UUID(int=1),
        "territory_id": UUID(int=2),
        "metric_id": "revenue",
        "currency": "USD",
        "target": Decimal("250000.00"),
        "value": Decimal("61000.50"),
        "value_due": Decimal("125000.000000"),
        "pace": Decimal("0.488"),
        "forecast": Decimal("170000.000000"),
        "forecast_low": Decimal(140000),
        "forecast_high": Decimal(200000),
        "end_day": date(2027, 1, 1),
        "noticed_at": datetime(2026, 11, 23, 9, tzinfo=UTC),
    }
    return GoalAtRisk(**{**usual, **told})


def test_it_says_where_the_goal_stands_and_where_it_is_heading() -> None:
    assert describe(at_risk(), again=False).splitlines() == [
        "The goal is at risk: revenue of 250,000 USD by 2027-01-01.",
        "It stands at 61,000.50 USD; 125,000 USD is due by now.",
        "At this pace it ends at 170,000 USD, in 8 of 10 cases from 140,000 to 200,000.",
        "What will you do differently?",
    ]


def test_a_rate_has_no_money_and_may_have_no_value() -> None:
    told = describe(
        at_risk(
            metric_id="win-rate",
            currency=None,
            target=Decimal("0.300000"),
            value=None,
            value_due=Decimal("0.25"),
            forecast=None,
        ),
        again=True,
    )
    assert "at risk again: win-rate of 0.3 by" in told
    assert "It stands at nothing to measure yet; 0.25 is due by now." in told


def test_an_event_read_again_has_its_note_and_another_has_another() -> None:
    """In the order of time, as all ids of notes are."""
    first = note_id_of(at_risk())
    assert first == note_id_of(at_risk(value=None))
    later = note_id_of(at_risk(noticed_at=datetime(2026, 11, 24, 9, tzinfo=UTC)))
    assert first < later
    assert len({first, later, note_id_of(at_risk(goal_id=UUID(int=7)))}) == 3
    assert first.version == 7
