"""Reads the body of a delivery into changes of accounts, each with its key and the instant it was made."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from services.assignment.crm.instant import check_not_ahead, read_stamp
from services.assignment.crm.shapes import (
    ACCOUNT_FIELDS,
    System,
    Told,
    WrongRecord,
    read_account_record,
    read_id,
    refuse_deleted,
    told_fields,
)
from services.assignment.crm.webhooks.refusals import UnreadableDelivery

MAX_RECORDS = 1_000


@dataclass(frozen=True, slots=True)
class RecordChange:
    """A change of one account; `event_key` is the same however often it is delivered."""

    event_key: str
    changed_at: datetime
    told: Told


@dataclass(frozen=True, slots=True)
class WrongChange:
    """A record that could not be read, and why."""

    external_id: str | None
    field: str | None
    detail: str


Change = RecordChange | WrongChange


def read_changes(system: System, body: bytes, *, now: datetime) -> list[Change]:
    """Return what a delivery holds, in its order. Raises UnreadableDelivery."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableDelivery("body: not JSON.") from None
    if system is System.HUBSPOT and isinstance(document, list):
        records, read = document, _read_hubspot
    else:
        records, delivery = _records(document)
        read = _reader_of_records(system, delivery)
    if not 1 <= len(records) <= MAX_RECORDS:
        raise UnreadableDelivery(f"records: 1 to {MAX_RECORDS} of them; send more in further deliveries.")
    return [_read(read, index, record, now) for index, record in enumerate(records)]


def _records(document: object) -> tuple[list[Any], str]:
    if not isinstance(document, Mapping) or not isinstance(document.get("records"), list):
        raise UnreadableDelivery(
            'body: {"delivery_id": "...", "records": [...]}, or HubSpot\'s list of events.'
        )
    delivery = document.get("delivery_id")
    if not isinstance(delivery, str) or not 1 <= len(delivery) <= 200:
        raise UnreadableDelivery(
            "delivery_id: 1 to 200 characters in quotes, the sender's own name of this delivery."
        )
    return document["records"], delivery


def _read(read: Any, index: int, record: object, now: datetime) -> Change:
    try:
        return read(index, record, now)  # type: ignore[no-any-return]
    except WrongRecord as wrong:
        return WrongChange(_named(record), wrong.field or None, wrong.detail)


def _named(record: object) -> str | None:
    if not isinstance(record, Mapping):
        return None
    for field in ("Id", "id", "objectId"):
        try:
            return read_id(record.get(field), field)
        except WrongRecord:
            continue
    return None


def _reader_of_records(system: System, delivery: str) -> Any:
    def read(index: int, record: object, now: datetime) -> RecordChange:
        told = read_account_record(system, record)
        assert isinstance(record, Mapping)  # noqa: S101 - a record was read from it
        refuse_deleted(system, record)
        return RecordChange(_key("record", delivery, index), read_stamp(system, record, now=now), told)

    return read


def _read_hubspot(_: int, event: object, now: datetime) -> RecordChange:
    """Read one event of HubSpot's webhooks; its eventId alone is not promised to be unique."""
    if not isinstance(event, Mapping):
        raise WrongRecord("", "an object, as HubSpot's webhooks send it")
    external_id = read_id(event.get("objectId"), "objectId")
    kind = event.get("subscriptionType")
    # A tuple: what comes may be a list or an object, and a set would have to hash it.
    if kind not in ("company.creation", "company.propertyChange"):
        raise WrongRecord("subscriptionType", "subscribe to company.creation and company.propertyChange only")
    fields: dict[str, Any] = {}
    names: dict[str, str] = {}
    if kind == "company.propertyChange":
        fields, names = told_fields(System.HUBSPOT, _changed_property(event))
    told = Told(external_id, fields, dict.fromkeys(names, "propertyValue"))
    parts = (event.get(n) for n in ("portalId", "subscriptionId", "eventId", "occurredAt", "propertyName"))
    return RecordChange(
        _key("event", external_id, str(kind), *map(str, parts)),
        _milliseconds(event.get("occurredAt"), now),
        told,
    )


def _changed_property(event: Mapping[str, Any]) -> dict[str, Any]:
    name = event.get("propertyName")
    if not isinstance(name, str) or name not in ACCOUNT_FIELDS[System.HUBSPOT]:
        known = ", ".join(ACCOUNT_FIELDS[System.HUBSPOT])
        raise WrongRecord("propertyName", f"not a property that is kept here; subscribe to {known}")
    return {name: event.get("propertyValue")}


def _milliseconds(raw: object, now: datetime) -> datetime:
    # Up to the year 5138.
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw < 10**14:
        raise WrongRecord("occurredAt", "milliseconds since 1970")
    instant = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=raw)
    return check_not_ahead(instant, "occurredAt", now=now)


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
