"""Who changed what: one row per command, in the command's own transaction. Rows are added and never changed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.correlation import current_correlation
from shared.runtime.ids import new_id_at

_ADD = text("""
INSERT INTO audit_entries (audit_id, recorded_at, actor, roles, scope, method, route, path_parameters, operation,
    status, location, correlation_id, idempotency_key, body_sha256)
VALUES (:audit_id, :recorded_at, :actor, :roles, CAST(:scope AS jsonb), :method, :route,
    CAST(:path_parameters AS jsonb), :operation, :status, :location, :correlation_id, :idempotency_key, :body_sha256)
""")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A request that changed something: who asked, with which rights, for what, and what came of it.

    `body_sha256` is a digest of the body as it was sent, None without one; the body itself may hold personal
    data. `location` names what was made, when the request did not.
    """

    roles: Sequence[str]
    scope: Scope
    method: str
    route: str
    path_parameters: Mapping[str, Any]
    operation: str
    status: int
    location: str | None
    idempotency_key: str | None
    body_sha256: bytes | None


async def record(entry: AuditEntry, uow: UnitOfWork) -> None:
    """Add an entry to a unit of work: it is there when the command commits, and only then."""
    roots = "*" if entry.scope.everything else sorted(map(str, entry.scope.roots))
    binds = {
        "audit_id": new_id_at(uow.now),
        "recorded_at": uow.now,
        "actor": uow.actor,
        "roles": list(entry.roles),
        "scope": json.dumps(roots),
        "method": entry.method,
        "route": entry.route,
        "path_parameters": json.dumps(dict(entry.path_parameters), default=str),
        "operation": entry.operation,
        "status": entry.status,
        "location": entry.location,
        "correlation_id": current_correlation().correlation_id,
        "idempotency_key": entry.idempotency_key,
        "body_sha256": entry.body_sha256,
    }
    await uow.connection.execute(_ADD, binds)
