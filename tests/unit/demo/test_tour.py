"""What the tour says when all is well, and when it is not."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from rich.console import Console

from deploy.demo.arrival import a_year_before
from deploy.demo.client import Installation, wait_until
from deploy.demo.failing import DemoFailed
from deploy.demo.tour import take_tour
from deploy.demo.tour.chart import GLYPHS, Moment, draw_bars, draw_maps
from deploy.demo.tour.planning import Side, _nearest_codes
from deploy.demo.tour.stage import Stage


class OfflineInstallation:
    def service(self, name: str, **_: str) -> object:
        raise DemoFailed(f"{name} does not answer")


def test_a_tour_that_fails_says_why_and_leaves_a_report(tmp_path: Path):
    console = Console(record=True, width=100)
    report = tmp_path / "new" / "tour.json"

    assert take_tour(OfflineInstallation(), console, report) == 1

    (scene,) = json.loads(report.read_text())["scenes"]
    assert scene["name"] == "realignment"
    assert scene["ok"] is False
    assert scene["figures"]["failure"] == "assignment does not answer"
    assert "assignment does not answer" in console.export_text()


def test_nothing_running_is_told_with_the_way_to_start_it(tmp_path: Path):
    with pytest.raises(DemoFailed, match="make run"):
        Installation.find(tmp_path / "endpoints.json")


def test_a_check_that_does_not_hold_ends_the_tour():
    stage = Stage(Console(quiet=True))
    stage.check("one is one", holds=True)
    with pytest.raises(DemoFailed, match=r"one is two\. it is 1"):
        stage.check("one is two", holds=False, otherwise="it is 1")
    assert stage.checks == 1


def test_waiting_ends_with_what_was_still_missing():
    with pytest.raises(DemoFailed, match="metrics: after 0 s still 3 of 4"):
        wait_until(lambda: "3 of 4", what="metrics", seconds=0, every=0)


def test_the_postal_codes_nearest_to_the_neighbour_move():
    source = _side({f"A{n}": (-118.0 + n / 10, 34.0, f"9000{n}") for n in range(9)})
    target = _side({"B": (-119.0, 34.0, "93001")})
    assert _nearest_codes(source, target) == {"90000", "90001", "90002"}


def test_maps_and_bars_show_both_territories_at_each_moment():
    points = {"East": ((-118.0, 34.0), (-118.1, 34.1)), "West": ((-119.0, 34.2),)}
    revenue = {"East": Decimal("20.00"), "West": Decimal(0)}
    console = Console(record=True, width=120)
    moments = [Moment("before", points, revenue), Moment("realigned", points, revenue)]

    draw_maps(console, moments)
    draw_bars(console, moments)

    shown = console.export_text()
    assert all(glyph in shown for glyph in GLYPHS)
    assert shown.count("East: 2 accounts") == 2
    assert "20 USD" in shown


@pytest.mark.parametrize(
    ("day", "before"),
    [(date(2026, 11, 23), date(2025, 11, 23)), (date(2028, 2, 29), date(2027, 2, 28))],
)
def test_a_year_before_a_leap_day_is_the_twenty_eighth(day: date, before: date):
    assert a_year_before(day) == before


def _side(accounts: dict[str, tuple[float, float, str]]) -> Side:
    rule = {"condition": {"field": "postal_code", "value": [code for _, _, code in accounts.values()]}}
    views = {
        name: {"longitude": longitude, "latitude": latitude, "postal_code": code}
        for name, (longitude, latitude, code) in accounts.items()
    }
    return Side("side", "id", rule, views)
