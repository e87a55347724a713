"""What an auditor asks for, and gets."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy import Row

from shared.http.audit.queries import AuditFilter
from shared.http.bodies import ExternalId, Instant, Name, View


def audit_filter(
    actor: Annotated[Name | None, Query(description="Subject of the caller's token.")] = None,
    operation: Annotated[
        ExternalId | None, Query(description="`operationId` of the route.", examples=["create-note"])
    ] = None,
    since: Annotated[Instant | None, Query(description="Entries of this instant and later.")] = None,
    until: Annotated[Instant | None, Query(description="Entries before this instant.")] = None,
) -> AuditFilter:
    """Read which entries are wanted; what is left out does not narrow."""
    return AuditFilter(actor=actor, operation=operation, since=since, until=until)


AuditFilterParameters = Annotated[AuditFilter, Depends(audit_filter)]


class AuditEntryView(View):
    """One change: who asked, with which rights, for what, and what came of it.

    `scope` is "*" for the whole organisation, else the roots of the caller's territories. `location` names what
    was made, where the path does not. `body_sha256` is the digest of the request body as it was sent, in hex.
    """

    audit_id: UUID
    recorded_at: datetime
    actor: str
    roles: list[str]
    scope: Literal["*"] | list[UUID]
    method: str
    route: str
    path_parameters: dict[str, str]
    operation: str
    status: int
    location: str | None
    correlation_id: str
    idempotency_key: str | None
    body_sha256: str | None

    @classmethod
    def of(cls, row: Row[tuple[object, ...]]) -> Self:
        """Show a row."""
        return cls.model_validate(row)
