"""A statement was wrong: it counts no more, nor does what it completed and granted."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.training.enrolments.commands.progress import lock_enrolment, settle
from services.collab.training.enrolments.queries import StatementRow, find_statement
from services.collab.training.enrolments.refusals import StatementVoided
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork

_VOID = text("""
UPDATE training_statements SET voided_at = :now, voided_by = :actor, void_reason = :reason
WHERE statement_id = :statement AND voided_at IS NULL RETURNING statement_id
""")


@dataclass(frozen=True, slots=True)
class VoidStatement:
    """Take a statement back, and say why."""

    statement_id: UUID
    reason: str
    scope: Scope


async def void_statement(command: VoidStatement, uow: UnitOfWork) -> StatementRow:
    """Void a statement. Raises NotFound or StatementVoided."""
    statement = await find_statement(
        uow.connection, command.statement_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )
    held = await lock_enrolment(statement.enrolment_id, uow, scope=command.scope)
    binds = {"statement": command.statement_id, "reason": command.reason, "now": uow.now, "actor": uow.actor}
    if (await uow.connection.execute(_VOID, binds)).one_or_none() is None:
        raise StatementVoided("statement_id: the statement was voided before.")
    await settle(held, held.progress.void(command.statement_id), uow, voiding=command.reason)
    return await find_statement(
        uow.connection, command.statement_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )
