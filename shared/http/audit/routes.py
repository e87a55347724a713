"""The audit over HTTP: every service tells its administrators who changed what."""

from fastapi import APIRouter

from shared.http.audit import queries
from shared.http.audit.schemas import AuditEntryView, AuditFilterParameters
from shared.http.commands import Snapshot
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.security import Admin

router = APIRouter(prefix="/v1/audit-entries", tags=["audit"])


@router.get("")
async def list_audit_entries(
    by: Admin,  # noqa: ARG001 - administrators of the whole organisation, whoever they are
    read: Snapshot,
    page: PageParameters,
    wanted: AuditFilterParameters,
) -> Page[AuditEntryView]:
    """List the changes that callers made, the newest first: one entry per command that was committed.

    A refused request changed nothing and has no entry; nor has the retry of one that was answered before under
    its idempotency key.
    """
    rows = await queries.list_audit_entries(read, wanted, before=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.audit_id)
    return Page(items=[AuditEntryView.of(item) for item in items], next_cursor=cursor)
