"""The customer of the tour: what they need, prefer and allow, as their rep and they themselves told it."""

from datetime import date, timedelta
from typing import Any

from deploy.demo.client import Service

LANGUAGE = "es"
HOME_LANGUAGE = "en"
OPEN_AT, CLOSED_AT = "15:00", "03:00"
"""UTC, in November: 7 in the morning in Los Angeles, and 7 in the evening of the day before."""

_HOURS = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "07:00", "to": "18:00"}
_PREFERENCES: tuple[dict[str, Any], ...] = (
    {"name": "channel", "value": ["phone", "email"], "source": "rep", "confidence_percent": 80},
    {"name": "contact_hours", "value": {**_HOURS, "time_zone": "America/Los_Angeles"}, "source": "customer"},
    {"name": "language", "value": HOME_LANGUAGE, "source": "crm", "confidence_percent": 50},
)
_CONSENTS: tuple[dict[str, Any], ...] = (
    {"level": "channel", "channel": "phone", "state": "granted"},
    {"level": "channel", "channel": "sms", "state": "denied"},
)


def tell_language(collab: Service, account_id: str, language: str) -> Any:
    """Have the customer say in which language to speak with them."""
    body = {"name": "language", "value": language, "source": "customer"}
    return collab.post(f"/v1/accounts/{account_id}/preferences", body)


def meet_customer(collab: Service, account_id: str, today: date) -> dict[str, Any]:
    """Lay down the profile and return the need that was registered."""
    account = f"/v1/accounts/{account_id}"
    for preference in _PREFERENCES:
        collab.post(f"{account}/preferences", preference)
    for consent in _CONSENTS:
        collab.post(f"{account}/consents", consent)
    need = {
        "kind": "training",
        "text": "Their buyers ask to be shown the ordering system in their own language.",
        "source": "customer",
        "due_on": (today - timedelta(days=3)).isoformat(),
    }
    registered: dict[str, Any] = collab.post(f"{account}/needs", need).body
    return registered
