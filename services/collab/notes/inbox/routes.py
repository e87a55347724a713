"""Inboxes over HTTP: what was put before you, how much of it is unread, and all of it live."""

import time
from collections.abc import AsyncIterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.collab.notes.inbox import commands
from services.collab.notes.inbox.commands import Acknowledge, MarkRead
from services.collab.notes.inbox.queries import count_inbox, list_inbox
from services.collab.notes.inbox.schemas import InboxCountsView, InboxItemView, ReadingBody
from services.collab.notes.inbox.stream import Inbox
from services.collab.notes.visibility import Viewer
from shared.http.commands import RunCommand, Snapshot, get_parts
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.principal import Principal
from shared.http.problems import describe
from shared.http.security import Reader

router = APIRouter(prefix="/v1/inbox", tags=["inbox"])

# A stream ends after so long, and the reader comes back with a fresh token and the number it had.
LONGEST_SECONDS = 300.0


@router.get("")
async def list_inbox_items(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    unread: Annotated[bool | None, Query(description="Only what is unread, or only what is read.")] = None,
) -> Page[InboxItemView]:
    """List what was put before you, the newest first: notes that mention you, and replies where you take part."""
    rows = await list_inbox(read, _viewer(by), unread=unread, page=page)
    items, cursor = page_of(rows, page, lambda row: row.item_id)
    return Page(items=[InboxItemView.of(item) for item in items], next_cursor=cursor)


@router.get("/summary")
async def get_inbox_summary(by: Reader, read: Snapshot) -> InboxCountsView:
    """Count what is unread and what waits for your acknowledgement."""
    return InboxCountsView.model_validate(await count_inbox(read, _viewer(by)))


@router.post("/readings", response_model=InboxCountsView, responses=describe(404))
async def create_reading(by: Reader, run: RunCommand, body: ReadingBody) -> Response:
    """Mark items as read; the answer counts what is left."""
    command = MarkRead(body.item_ids, _viewer(by))
    return await run.run(commands.mark_read, command, by=by, show=InboxCountsView.model_validate)


@router.post("/{item_id}/acknowledgements", response_model=InboxItemView, responses=describe(404, 409))
async def create_note_acknowledgement(by: Reader, run: RunCommand, item_id: UUID) -> Response:
    """Acknowledge a note whose author asked for it; this also marks it read."""
    return await run.run(
        commands.acknowledge, Acknowledge(item_id, _viewer(by)), by=by, show=InboxItemView.of
    )


@router.get("/stream", response_class=EventSourceResponse)
async def list_inbox_events(
    request: Request,
    by: Reader,
    last_event_id: Annotated[
        str | None, Header(pattern="^[0-9]{1,18}$", description="Go on after this event; browsers send it.")
    ] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Follow your inbox as server-sent events.

    `item` is an InboxItemView, each once and in the order in which you could see them: one whose account comes to you
    later comes then. `counts` is an InboxCountsView, at once after the items there are, and whenever they change.
    Every event has an id: come back with it in Last-Event-ID and nothing is missed. Without it the stream begins
    now. `reset` says that the id is not of this inbox: read GET /v1/inbox, the stream goes on from now. It ends
    after five minutes.
    """
    parts, state = get_parts(request), request.app.state
    until = time.monotonic() + LONGEST_SECONDS
    inbox = Inbox(parts.engine, parts.transact, state.inbox_bell, _viewer(by))
    after = None if last_event_id is None else int(last_event_id)
    seen = inbox.follow(after, ended=lambda: getattr(state, "stopping", False) or time.monotonic() > until)
    async for change in seen:
        counts = InboxCountsView.model_validate(change.counts)
        if change.strange:
            yield ServerSentEvent(event="reset", id=str(change.after), data=counts)
        for item in change.items:
            yield ServerSentEvent(event="item", id=str(item.number), data=InboxItemView.of(item))
        yield ServerSentEvent(event="counts", id=str(change.after), data=counts)


def _viewer(by: Principal) -> Viewer:
    return Viewer(by.subject, by.scope)
