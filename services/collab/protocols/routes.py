"""Protocols and the calendars they count in, over HTTP."""

from fastapi import APIRouter, Response

from services.collab.protocols import commands, queries
from services.collab.protocols.commands import PutCalendar, PutProtocol
from services.collab.protocols.schemas import (
    CalendarBody,
    CalendarView,
    CodeInPath,
    ProtocolBody,
    ProtocolView,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import VersionIfSent, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Admin, Reader

router = APIRouter(tags=["protocols"])


@router.get("/v1/calendars")
async def list_calendars(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[CalendarView]:
    """List the calendars that deadlines count in."""
    rows = await queries.list_calendars(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.calendar_id)
    return Page(items=[CalendarView.of(item) for item in items], next_cursor=cursor)


@router.get("/v1/calendars/{code}")
async def get_calendar(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    code: CodeInPath,
    response: Response,
) -> CalendarView:
    """Return one calendar."""
    found = await queries.find_calendar(read, code)
    response.headers["etag"] = etag_of(found.version)
    return CalendarView.of(found)


@router.put("/v1/calendars/{code}", response_model=CalendarView, responses=describe(428))
async def put_calendar(
    by: Admin, run: RunCommand, code: CodeInPath, version: VersionIfSent, body: CalendarBody
) -> Response:
    """Lay down when there is work; replacing needs the ETag. Deadlines that were set stay where they are."""
    command = PutCalendar(code, version, body.time_zone, body.written_hours(), body.holidays)
    return await run.run(
        commands.put_calendar, command, by=by, show=CalendarView.of, version=lambda row: row.version
    )


@router.get("/v1/protocols")
async def list_protocols(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[ProtocolView]:
    """List protocols at their latest versions, in the order they were made."""
    rows = await queries.list_protocols(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.protocol_id)
    return Page(items=[ProtocolView.of(item) for item in items], next_cursor=cursor)


@router.get("/v1/protocols/{code}")
async def get_protocol(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    code: CodeInPath,
    response: Response,
) -> ProtocolView:
    """Return a protocol at its latest version."""
    found = await queries.find_protocol(read, code)
    response.headers["etag"] = etag_of(found.version)
    return ProtocolView.of(found)


@router.put("/v1/protocols/{code}", response_model=ProtocolView, responses=describe(428))
async def put_protocol(
    by: Admin, run: RunCommand, code: CodeInPath, version: VersionIfSent, body: ProtocolBody
) -> Response:
    """Publish a protocol, or with its ETag the next version. What is owed goes on under its own version."""
    command = PutProtocol(code, version, body.content())
    return await run.run(
        commands.put_protocol, command, by=by, show=ProtocolView.of, version=lambda row: row.version
    )
