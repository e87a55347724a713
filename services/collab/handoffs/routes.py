"""Handoffs over HTTP. Reading one, with its brief, is in briefs/routes.py."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.collab.handoffs import queries
from services.collab.handoffs.commands.complete_handoff import CompleteHandoff, complete_handoff
from services.collab.handoffs.commands.decide_handoff import (
    AcceptHandoff,
    RejectHandoff,
    accept_handoff,
    reject_handoff,
)
from services.collab.handoffs.commands.tick_item import TickItem, tick_item
from services.collab.handoffs.handoff import HandoffState
from services.collab.handoffs.queries import HandoffRow
from services.collab.handoffs.schemas import HandoffCounts, HandoffView, ItemBody, RejectionBody
from services.collab.handoffs.visibility import HandoffFilter
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import VersionIfSent
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Reader, Writer

router = APIRouter(prefix="/v1/handoffs", tags=["handoffs"])


def handoff_filter(
    territory_id: Annotated[
        UUID | None, Query(description="A side lies in this territory's subtree.")
    ] = None,
    state: HandoffState | None = None,
    activation_id: UUID | None = None,
    account_id: UUID | None = None,
) -> HandoffFilter:
    """Read the filter from the query."""
    return HandoffFilter(territory_id, state, activation_id, account_id)


Wanted = Annotated[HandoffFilter, Depends(handoff_filter)]


@router.get("")
async def list_handoffs(
    by: Reader, read: Snapshot, page: PageParameters, wanted: Wanted
) -> Page[HandoffView]:
    """List handoffs in the order they were opened: those of which either side lies in your scope."""
    rows = await queries.list_handoffs(read, wanted, scope=by.scope, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.handoff_id)
    return Page(items=[HandoffView.of(item) for item in items], next_cursor=cursor)


@router.get("/summary")
async def get_handoff_summary(by: Reader, read: Snapshot, activation_id: UUID | None = None) -> HandoffCounts:
    """Count the handoffs in your scope by state: of one activation, or of all."""
    counts = await queries.count_handoffs(read, HandoffFilter(activation_id=activation_id), scope=by.scope)
    return HandoffCounts(
        activation_id=activation_id,
        total=sum(counts.values()),
        **{state.value: count for state, count in counts.items()},
    )


@router.post("/{handoff_id}/acceptances", response_model=HandoffView, responses=describe(409))
async def create_acceptance(
    by: Writer, run: RunCommand, handoff_id: UUID, version: VersionIfSent
) -> Response:
    """Accept a handoff that is sent; for callers whose scope holds the receiving territory."""
    command = AcceptHandoff(handoff_id=handoff_id, scope=by.scope, expected_version=version)
    return await run.run(accept_handoff, command, by=by, show=HandoffView.of, version=_version)


@router.post("/{handoff_id}/rejections", response_model=HandoffView, responses=describe(409))
async def create_rejection(
    by: Writer, run: RunCommand, handoff_id: UUID, version: VersionIfSent, body: RejectionBody
) -> Response:
    """Reject a handoff that is sent; for callers whose scope holds the receiving territory."""
    command = RejectHandoff(
        handoff_id=handoff_id, scope=by.scope, expected_version=version, reason=body.reason
    )
    return await run.run(reject_handoff, command, by=by, show=HandoffView.of, version=_version)


@router.put("/{handoff_id}/checklist/{item}", response_model=HandoffView, responses=describe(409))
async def put_checklist_item(
    by: Writer, run: RunCommand, handoff_id: UUID, item: str, version: VersionIfSent, body: ItemBody
) -> Response:
    """Mark an item of the checklist done or open again; either side may, until the handoff is closed."""
    command = TickItem(
        handoff_id=handoff_id, scope=by.scope, expected_version=version, item=item, done=body.done
    )
    return await run.run(tick_item, command, by=by, show=HandoffView.of, version=_version)


@router.post("/{handoff_id}/completions", response_model=HandoffView, responses=describe(409))
async def create_completion(
    by: Writer, run: RunCommand, handoff_id: UUID, version: VersionIfSent
) -> Response:
    """Complete an accepted handoff whose checklist is done; for the receiving side."""
    command = CompleteHandoff(handoff_id=handoff_id, scope=by.scope, expected_version=version)
    return await run.run(complete_handoff, command, by=by, show=HandoffView.of, version=_version)


def _version(handoff: HandoffRow) -> int:
    return handoff.version
