"""Laying down protocols and calendars: a change is a new version, and moves no deadline that was set."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from services.collab.protocols.protocol import ProtocolVersion, require_reminders_to_come
from services.collab.protocols.queries import (
    CalendarRow,
    ProtocolRow,
    find_calendar,
    find_protocol,
    working_calendar,
)
from services.collab.protocols.refusals import UnknownCalendar
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import PreconditionRequired
from shared.runtime.ids import new_id
from shared.runtime.refusals import VersionMismatch

_CREATE_CALENDAR = text("""
INSERT INTO calendars (code, calendar_id, time_zone, hours, holidays, changed_at, changed_by)
VALUES (:code, :id, :time_zone, CAST(:hours AS jsonb), :holidays, :now, :actor)
ON CONFLICT (code) DO NOTHING RETURNING code
""")
_LOCK_CALENDAR = text("SELECT version FROM calendars WHERE code = :code FOR UPDATE")
_UPDATE_CALENDAR = text("""
UPDATE calendars SET time_zone = :time_zone, hours = CAST(:hours AS jsonb), holidays = :holidays,
    version = version + 1, changed_at = :now, changed_by = :actor
WHERE code = :code
""")
_COUNTED_IN = text("SELECT time_zone, hours, holidays FROM calendars WHERE code = :code")
_CREATE = text("""
INSERT INTO protocols (code, protocol_id, version) VALUES (:code, :id, 1)
ON CONFLICT (code) DO NOTHING RETURNING protocol_id, version
""")
_LOCK = text("SELECT version FROM protocols WHERE code = :code FOR UPDATE")
_BUMP = text("""
UPDATE protocols SET version = version + 1 WHERE code = :code RETURNING protocol_id, version
""")
_PUBLISH = text("""
INSERT INTO protocol_versions (protocol_id, version, name, trigger, role, due_amount, due_unit, calendar_code,
    steps, active, published_at, published_by)
VALUES (:protocol_id, :version, :name, :trigger, :role, :amount, :unit, :calendar, CAST(:steps AS jsonb), :active,
    :now, :actor)
""")


@dataclass(frozen=True, slots=True)
class PutCalendar:
    """Say when there is work; `hours` is a list of days with from and to."""

    code: str
    expected_version: int | None
    time_zone: str
    hours: Sequence[dict[str, Any]]
    holidays: Sequence[date]


@dataclass(frozen=True, slots=True)
class PutProtocol:
    """Publish a protocol, or its next version."""

    code: str
    expected_version: int | None
    content: ProtocolVersion


async def put_calendar(command: PutCalendar, uow: UnitOfWork) -> CalendarRow:
    """Lay down or replace. Raises PreconditionRequired or VersionMismatch."""
    binds = {
        "code": command.code,
        "time_zone": command.time_zone,
        "hours": json.dumps(command.hours),
        "holidays": sorted(set(command.holidays)),
        "now": uow.now,
        "actor": uow.actor,
    }
    if command.expected_version is None:
        made = await uow.connection.execute(_CREATE_CALENDAR, {**binds, "id": new_id()})
        if made.one_or_none() is None:
            raise PreconditionRequired("If-Match: the calendar is there; send the ETag you read.")
    else:
        await _lock(_LOCK_CALENDAR, command.code, command.expected_version, uow)
        await uow.connection.execute(_UPDATE_CALENDAR, binds)
    return await find_calendar(uow.connection, command.code)


async def put_protocol(command: PutProtocol, uow: UnitOfWork) -> ProtocolRow:
    """Publish; what is owed goes on under the version it began with.

    Raises UnknownCalendar, ReminderNeverComes, PreconditionRequired or VersionMismatch.
    """
    code = command.content.calendar_code
    calendar = (await uow.connection.execute(_COUNTED_IN, {"code": code})).one_or_none()
    if calendar is None:
        raise UnknownCalendar(f"calendar_code: there is no calendar {code}; put it first.")
    require_reminders_to_come(command.content, working_calendar(calendar))
    if command.expected_version is None:
        created = await uow.connection.execute(_CREATE, {"code": command.code, "id": new_id()})
        made = created.mappings().one_or_none()
        if made is None:
            raise PreconditionRequired("If-Match: the protocol is there; send the ETag you read.")
    else:
        await _lock(_LOCK, command.code, command.expected_version, uow)
        made = (await uow.connection.execute(_BUMP, {"code": command.code})).mappings().one()
    await uow.connection.execute(
        _PUBLISH, {**_columns(command.content), **made, "now": uow.now, "actor": uow.actor}
    )
    return await find_protocol(uow.connection, command.code)


async def _lock(statement: Any, code: str, expected: int, uow: UnitOfWork) -> None:
    version = (await uow.connection.execute(statement, {"code": code})).scalar_one_or_none()
    if version != expected:
        raise VersionMismatch("If-Match: it is at another version; read it again.")


def _columns(content: ProtocolVersion) -> dict[str, Any]:
    return {
        "name": content.name,
        "trigger": content.trigger,
        "role": content.role,
        "amount": content.due.amount,
        "unit": content.due.unit,
        "calendar": content.calendar_code,
        "steps": json.dumps([asdict(step) for step in content.steps]),
        "active": content.active,
    }
