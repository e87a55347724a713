"""Reads instants as CRMs write them, and when a record was changed there. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from services.assignment.crm.shapes import Record, System, WrongRecord

# A CRM's clock may run ahead of ours a little; a change from next week would win over all others until then.
AHEAD = timedelta(minutes=5)
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
STAMPS: Mapping[System, str] = MappingProxyType(
    {System.SALESFORCE: "LastModifiedDate", System.HUBSPOT: "updatedAt"}
)


def read_stamp(system: System, record: Record, *, now: datetime) -> datetime:
    """Return when a record was changed in the CRM; a record that does not say is as it is now. Raises WrongRecord."""
    field = STAMPS[system]
    raw = record.get(field)
    return now if raw is None else check_not_ahead(read_instant(raw, field), field, now=now)


def read_instant(raw: object, field: str) -> datetime:
    """Return an instant in UTC. Raises WrongRecord."""
    try:
        # Salesforce writes +0000.
        instant = datetime.fromisoformat(raw) if isinstance(raw, str) and len(raw) <= 40 else None
        instant = None if instant is None or instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        raise WrongRecord(
            field, "an instant in ISO 8601 with its offset, such as 2026-11-24T09:30:00.000+0000"
        )
    if not _EARLIEST <= instant <= _LATEST:
        raise WrongRecord(field, "an instant from 1970 up to the year 9000; leave it out where there is none")
    return instant


def check_not_ahead(instant: datetime, field: str, *, now: datetime) -> datetime:
    """Return the instant of a change that was made. Raises WrongRecord."""
    if instant > now + AHEAD:
        raise WrongRecord(field, "lies ahead: is the sender's clock right?")
    return instant
