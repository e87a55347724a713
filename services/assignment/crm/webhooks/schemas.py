"""Bodies of webhook requests and answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator

from services.assignment.crm.shapes import System
from shared.http.bodies import Body, View


class WebhookSourceBody(Body):
    """How a source signs."""

    secret: SecretStr = Field(
        min_length=16,
        max_length=256,
        description="Kept sealed and never returned. HubSpot: the client secret.",
    )
    url: str | None = Field(
        default=None,
        max_length=1_000,
        pattern=r"^https?://[!-~]+$",
        description="The URL that HubSpot was told to call: it is part of HubSpot's signature.",
    )
    keep_previous_hours: int = Field(
        default=24, ge=0, le=168, description="How long the secret before this one stays good; 0 ends it now."
    )

    @field_validator("secret")
    @classmethod
    def printable(cls, secret: SecretStr) -> SecretStr:
        """Refuse what no signer could type."""
        text = secret.get_secret_value()
        if not text.isascii() or not text.isprintable():
            raise ValueError("printable ASCII characters")
        return secret


class WebhookSourceView(View):
    """A source of webhooks."""

    source: System
    url: str | None
    secret_since: datetime
    previous_until: datetime | None = Field(description="Until then the secret before is good, too.")


class WebhookSourcesView(View):
    """All sources of webhooks."""

    items: list[WebhookSourceView]


class RecordOutcomeView(View):
    """What became of one record."""

    index: int = Field(description="Its place in the delivery, counted from 0.")
    external_id: str | None
    outcome: Literal["applied", "duplicate", "superseded", "rejected"] = Field(
        description="`superseded`: a newer change of the same fields came before."
    )
    field: str | None
    detail: str | None


class DeliveryReportView(View):
    """What became of a delivery."""

    registered: int
    changed: int
    aligned: int = Field(description="Accounts that got another territory by this delivery.")
    records: list[RecordOutcomeView]


_BAILIWICK = {
    "delivery_id": "d-1",
    "records": [
        {
            "Id": "001A",
            "Name": "Acme",
            "BillingPostalCode": "01841",
            "LastModifiedDate": "2026-11-24T09:30:00.000+0000",
        }
    ],
}
_HUBSPOT = [
    {
        "eventId": 1,
        "subscriptionId": 2,
        "portalId": 3,
        "subscriptionType": "company.propertyChange",
        "objectId": 42,
        "propertyName": "zip",
        "propertyValue": "01841",
        "occurredAt": 1_764_000_000_000,
    }
]
DELIVERY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]},
                "examples": {"records": {"value": _BAILIWICK}, "hubspot": {"value": _HUBSPOT}},
            }
        },
    }
}
