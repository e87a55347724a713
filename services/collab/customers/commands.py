"""How every change of a customer begins: they come one at a time, and tell when what they say was captured."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.access import COVERED, NO_SUCH_ACCOUNT
from services.collab.customers.refusals import CapturedAhead
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

# Events tell what follows from all that is known of the customer, so two writers must not overlook each other.
_LOCK = text(f"""
INSERT INTO customers AS c (account_id, version, changed_at)
SELECT CAST(:account AS uuid), 1, CAST(:now AS timestamptz) WHERE {COVERED}
ON CONFLICT (account_id) DO UPDATE SET version = c.version + 1, changed_at = excluded.changed_at
RETURNING c.version
""")


async def lock_customer(uow: UnitOfWork, account_id: UUID, scope: Scope) -> int:
    """Hold a customer for a change and return the version this makes. Raises NotFound."""
    found = await uow.connection.execute(_LOCK, {**scope.parameters(), "account": account_id, "now": uow.now})
    version: int | None = found.scalar_one_or_none()
    if version is None:
        raise NotFound(NO_SUCH_ACCOUNT)
    return version


def captured(at: datetime | None, now: datetime) -> datetime:
    """Return when something was told, now if nobody says. Raises CapturedAhead."""
    if at is not None and at > now:
        raise CapturedAhead("captured_at: lies ahead; leave it out for what was told just now.")
    return at or now
