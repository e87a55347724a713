"""The demo's protocols: what has to be done in which time, and the calendar it is counted in."""

from typing import Any

from deploy.demo.client import Service

_CALENDAR: dict[str, Any] = {
    "time_zone": "America/Chicago",
    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
    # Federal holidays, observed: https://www.opm.gov/policy-data-oversight/pay-leave/federal-holidays/
    "holidays": [
        *("2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07"),
        *("2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25"),
        *("2027-01-01", "2027-01-18", "2027-02-15", "2027-05-31", "2027-06-18", "2027-07-05", "2027-09-06"),
        *("2027-10-11", "2027-11-11", "2027-11-25", "2027-12-24", "2027-12-31"),
    ],
}
_AT_THE_DEADLINE = ({"action": "escalate"}, {"action": "breach"})
_PROTOCOLS: dict[str, dict[str, Any]] = {
    "handoff-acceptance": {
        "name": "A handoff is accepted in two business days",
        "trigger": "handoff-opened",
        "due": {"amount": 2, "unit": "days"},
        "steps": [{"action": "remind", "after": {"amount": 1, "unit": "days"}}, *_AT_THE_DEADLINE],
    },
    "customer-answer": {
        "name": "A customer is answered in one business day",
        "trigger": "customer-contacted",
        "due": {"amount": 1, "unit": "days"},
        "steps": [{"action": "remind", "after": {"amount": 4, "unit": "hours"}}, *_AT_THE_DEADLINE],
    },
}


def lay_down_protocols(collab: Service) -> None:
    """Put the calendar and the protocols, those that are missing."""
    if collab.find("/v1/calendars/business") is None:
        collab.send("PUT", "/v1/calendars/business", body=_CALENDAR)
    for code, body in _PROTOCOLS.items():
        if collab.find(f"/v1/protocols/{code}") is None:
            collab.send("PUT", f"/v1/protocols/{code}", body=body)
