"""Who may see a customer: whoever has the account now."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.projections.alignments import is_in_scope, territory_of
from shared.db.scope import Scope
from shared.runtime.refusals import NotFound

NO_SUCH_ACCOUNT = "account_id: no such account."

COVERED = Scope.covers(territory_of("CAST(:account AS uuid)"))
"""SQL: the account `:account` lies in the caller's scope now."""


async def require_account(read: AsyncConnection, account_id: UUID, scope: Scope) -> None:
    """Check that the caller may see the account now. Raises NotFound."""
    if not await is_in_scope(read, account_id, scope):
        raise NotFound(NO_SUCH_ACCOUNT)
