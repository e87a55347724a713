"""Reading protocols with their versions, and the calendars they count in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.protocols.calendar_hours import week_of
from services.collab.protocols.protocol import Action, ProtocolVersion, Step, Trigger
from services.collab.protocols.working_hours import Unit, WorkingCalendar, WorkingTime
from shared.runtime.refusals import NotFound


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """When there is work."""

    code: str
    calendar_id: UUID
    time_zone: str
    hours: Sequence[Mapping[str, Any]]
    holidays: Sequence[date]
    version: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class ProtocolRow:
    """A protocol at one of its versions."""

    code: str
    protocol_id: UUID
    version: int
    content: ProtocolVersion
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True)
class RunningProtocol:
    """What starts a clock: a protocol in force, with its calendar."""

    protocol_id: UUID
    version: int
    content: ProtocolVersion
    calendar: WorkingCalendar


_CALENDAR = f"SELECT {', '.join(CalendarRow.__dataclass_fields__)} FROM calendars"
_FIND_CALENDAR = text(f"{_CALENDAR} WHERE code = :code")
_LIST_CALENDARS = text(f"""{_CALENDAR}
WHERE CAST(:after AS uuid) IS NULL OR calendar_id > :after ORDER BY calendar_id LIMIT :limit
""")
_CONTENT = """
p.code, p.protocol_id, v.version, v.name, v.trigger, v.role, v.due_amount, v.due_unit, v.calendar_code, v.steps,
v.active, v.published_at, v.published_by
"""
_PROTOCOL = f"SELECT {_CONTENT} FROM protocols AS p JOIN protocol_versions AS v USING (protocol_id, version)"
_FIND = text(f"{_PROTOCOL} WHERE p.code = :code")
_LIST = text(f"""{_PROTOCOL}
WHERE CAST(:after AS uuid) IS NULL OR p.protocol_id > :after ORDER BY p.protocol_id LIMIT :limit
""")
_RUNNING = text(f"""
SELECT {_CONTENT}, c.time_zone, c.hours, c.holidays
FROM protocols AS p JOIN protocol_versions AS v USING (protocol_id, version)
JOIN calendars AS c ON c.code = v.calendar_code
WHERE v.active AND v.trigger = :trigger ORDER BY p.protocol_id
""")


async def find_calendar(read: AsyncConnection, code: str) -> CalendarRow:
    """Return a calendar. Raises NotFound."""
    row = (await read.execute(_FIND_CALENDAR, {"code": code})).mappings().one_or_none()
    if row is None:
        raise NotFound("code: no such calendar.")
    return CalendarRow(**row)


async def list_calendars(read: AsyncConnection, *, after: UUID | None, limit: int) -> list[CalendarRow]:
    """Return calendars in the order they were made."""
    rows = await read.execute(_LIST_CALENDARS, {"after": after, "limit": limit})
    return [CalendarRow(**row) for row in rows.mappings()]


async def find_protocol(read: AsyncConnection, code: str) -> ProtocolRow:
    """Return a protocol at its latest version. Raises NotFound."""
    row = (await read.execute(_FIND, {"code": code})).one_or_none()
    if row is None:
        raise NotFound("code: no such protocol.")
    return _protocol(row)


async def list_protocols(read: AsyncConnection, *, after: UUID | None, limit: int) -> list[ProtocolRow]:
    """Return protocols at their latest versions, in the order they were made."""
    return [_protocol(row) for row in await read.execute(_LIST, {"after": after, "limit": limit})]


async def find_running_protocols(read: AsyncConnection, trigger: Trigger) -> list[RunningProtocol]:
    """Return what an event starts."""
    return [
        RunningProtocol(
            row.protocol_id,
            row.version,
            _content(row),
            working_calendar(row),
        )
        for row in await read.execute(_RUNNING, {"trigger": trigger})
    ]


def working_calendar(row: Row[Any]) -> WorkingCalendar:
    """Return a row of a calendar as the calendar that deadlines count in."""
    return WorkingCalendar(row.time_zone, week_of(row.hours), frozenset(row.holidays))


def _protocol(row: Row[Any]) -> ProtocolRow:
    return ProtocolRow(
        row.code, row.protocol_id, row.version, _content(row), row.published_at, row.published_by
    )


def _content(row: Row[Any]) -> ProtocolVersion:
    return ProtocolVersion(
        name=row.name,
        trigger=Trigger(row.trigger),
        role=row.role,
        due=WorkingTime(row.due_amount, Unit(row.due_unit)),
        calendar_code=row.calendar_code,
        steps=tuple(_step(step) for step in row.steps),
        active=row.active,
    )


def _step(stored: Mapping[str, Any]) -> Step:
    after = stored["after"]
    span = None if after is None else WorkingTime(after["amount"], Unit(after["unit"]))
    return Step(Action(stored["action"]), span, stored["times"])
