"""Needs of customers, and their vocabulary, over HTTP."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.customers.needs import queries
from services.collab.customers.needs.commands.erase_text import EraseText, erase_text
from services.collab.customers.needs.commands.keep_needs import (
    AddEvidence,
    ChangeNeed,
    RegisterNeed,
    add_evidence,
    change_need,
    register_need,
)
from services.collab.customers.needs.need import NeedStatus
from services.collab.customers.needs.queries import NeedRow
from services.collab.customers.needs.schemas import (
    EvidenceBody,
    NeedChangeBody,
    NeedView,
    NewNeedBody,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader, Writer

router = APIRouter(prefix="/v1/accounts/{account_id}/needs", tags=["customers"])


@router.post("", status_code=201, response_model=NeedView, responses=describe(404))
async def create_need(by: Writer, run: RunCommand, now: Now, account_id: UUID, body: NewNeedBody) -> Response:
    """Register what a customer needs."""
    command = RegisterNeed(
        account_id=account_id,
        scope=by.scope,
        kind=body.kind,
        text=body.text,
        owner_rep_id=body.owner_rep_id,
        due_on=body.due_on,
        source=body.source,
        confidence_percent=body.confidence_percent,
        captured_at=body.captured_at,
    )
    return await run.run(
        register_need, command, by=by, show=_shown(now), status=201, version=_version, location=_location
    )


@router.get("", responses=describe(404))
async def list_needs(
    by: Reader,
    read: Snapshot,
    now: Now,
    page: PageParameters,
    account_id: UUID,
    status: NeedStatus | None = None,
) -> Page[NeedView]:
    """List a customer's needs in the order they were registered."""
    rows = await queries.list_needs(
        read, account_id, status=status, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.need_id)
    return Page(items=[NeedView.of(item, now) for item in items], next_cursor=cursor)


@router.get("/{need_id}")
async def get_need(
    by: Reader, read: Snapshot, now: Now, account_id: UUID, need_id: UUID, response: Response
) -> NeedView:
    """Return a need with its evidence."""
    need = await queries.find_need(read, account_id, need_id, scope=by.scope)
    response.headers["etag"] = etag_of(need.version)
    return NeedView.of(need, now)


@router.patch("/{need_id}", response_model=NeedView, responses=describe(409))
async def update_need(
    by: Writer,
    run: RunCommand,
    now: Now,
    account_id: UUID,
    need_id: UUID,
    version: ExpectedVersion,
    body: NeedChangeBody,
) -> Response:
    """Change a need: its status along its path, its text, who looks after it, when it is due."""
    command = ChangeNeed(
        account_id=account_id,
        need_id=need_id,
        scope=by.scope,
        expected_version=version,
        status=body.status,
        drop_reason=body.drop_reason,
        values=body.values(),
    )
    return await run.run(change_need, command, by=by, show=_shown(now), version=_version)


@router.post("/{need_id}/evidence", status_code=201, response_model=NeedView, responses=describe(404, 409))
async def create_evidence(
    by: Writer, run: RunCommand, now: Now, account_id: UUID, need_id: UUID, body: EvidenceBody
) -> Response:
    """Add evidence of how a need stands, and return the need."""
    command = AddEvidence(
        account_id=account_id, need_id=need_id, scope=by.scope, kind=body.kind, text=body.text
    )
    return await run.run(
        add_evidence, command, by=by, show=_shown(now), status=201, version=_version, location=_location
    )


@router.delete("/{need_id}/text", response_model=NeedView)
async def delete_need_text(
    by: Manager, run: RunCommand, now: Now, account_id: UUID, need_id: UUID
) -> Response:
    """Erase the text of a need, from answers kept for retries too; the need itself stays."""
    command = EraseText(account_id=account_id, need_id=need_id, scope=by.scope)
    return await run.run(erase_text, command, by=by, show=_shown(now), version=_version)


@router.delete("/{need_id}/evidence/{evidence_id}/text", response_model=NeedView)
async def delete_evidence_text(
    by: Manager, run: RunCommand, now: Now, account_id: UUID, need_id: UUID, evidence_id: UUID
) -> Response:
    """Erase the text of an entry of evidence; that it was there stays known."""
    command = EraseText(account_id=account_id, need_id=need_id, scope=by.scope, evidence_id=evidence_id)
    return await run.run(erase_text, command, by=by, show=_shown(now), version=_version)


def _shown(now: datetime) -> Callable[[NeedRow], NeedView]:
    return lambda need: NeedView.of(need, now)


def _version(need: NeedRow) -> int:
    return need.version


def _location(need: NeedRow) -> str:
    return f"/v1/accounts/{need.account_id}/needs/{need.need_id}"
