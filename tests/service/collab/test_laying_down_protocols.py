"""What a protocol and a calendar may say, and who lays them down."""

import pytest

from tests.service.collab.conftest import Collab
from tests.service.collab.school import ok, send
from tests.service.collab.test_protocols import BUSINESS

GOOD = {
    "name": "x",
    "trigger": "handoff-opened",
    "due": {"amount": 1, "unit": "days"},
    "steps": [{"action": "breach"}],
}
WEEKDAY = {"days": ["mon"], "from": "09:00", "to": "17:00"}


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("protocols/x1", {**GOOD, "calendar_code": "nowhere"}, "calendar_code"),
        ("protocols/x1", {**GOOD, "steps": []}, "breach"),
        ("protocols/x1", {**GOOD, "steps": [{"action": "breach"}, {"action": "breach"}]}, "once each"),
        ("protocols/x1", {**GOOD, "steps": [{"action": "remind"}, {"action": "breach"}]}, "after"),
        (
            "protocols/x1",
            {**GOOD, "steps": [{"action": "remind", "after": GOOD["due"]}, {"action": "breach"}]},
            "before the deadline",
        ),
        ("protocols/x1", {**GOOD, "due": {"amount": 300, "unit": "days"}}, "at most 260"),
        ("calendars/x1", {"time_zone": "Europe/Atlantis", "hours": [WEEKDAY]}, "IANA"),
        ("calendars/x1", {"time_zone": "UTC", "hours": [WEEKDAY, WEEKDAY]}, "overlap"),
        ("calendars/x1", {"time_zone": "UTC", "hours": [{**WEEKDAY, "to": "08:00"}]}, "before"),
    ],
)
async def test_bad_input_is_told_by_field_and_fix(collab: Collab, path: str, body: dict, named: str):
    answer = await send(collab, "PUT", f"/v1/{path}", body)
    assert answer.status_code == 422
    assert named in answer.text
    assert (await send(collab, "GET", f"/v1/{path}")).status_code == 404


@pytest.mark.parametrize(
    ("after", "times", "status"),
    [(999, 1, 422), (16, 1, 422), (15, 1, 200), (5, 3, 200), (4, 4, 422)],
)
async def test_a_reminder_that_could_never_come_is_refused(
    collab: Collab, after: int, times: int, status: int
):
    """Due in a day: from nine in the morning that leaves sixteen hours of work at most."""
    await ok(collab, "PUT", "/v1/calendars/business", BUSINESS)
    remind = {"action": "remind", "after": {"amount": after, "unit": "hours"}, "times": times}
    answer = await send(collab, "PUT", "/v1/protocols/x1", {**GOOD, "steps": [remind, {"action": "breach"}]})
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["code"] == "reminder-never-comes"
        assert "steps: step 1" in answer.text


async def test_only_administrators_lay_down_protocols(collab: Collab):
    assert (await send(collab, "PUT", "/v1/protocols/x1", GOOD, roles=("manager",))).status_code == 403
