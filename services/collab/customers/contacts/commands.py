"""Logging a contact that is planned or was made: refused when the customer does not want it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.commands import lock_customer
from services.collab.customers.contacts.contactability import Verdict
from services.collab.customers.contacts.queries import ContactKind, ContactRow, contactability_of
from services.collab.customers.contacts.refusals import ContactAhead, ContactRefused
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_LOG = text("""
INSERT INTO contacts (contact_id, account_id, kind, channel, purpose, contact_point, at, reason, logged_at,
    logged_by)
VALUES (:contact_id, :account_id, :kind, :channel, :purpose, :contact_point, :at, :reason, :logged_at,
    :logged_by)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogContact:
    """Enter a contact."""

    account_id: UUID
    scope: Scope
    kind: ContactKind
    channel: Channel
    purpose: Purpose
    contact_point: str | None
    at: datetime | None


async def log_contact(command: LogContact, uow: UnitOfWork) -> ContactRow:
    """Log a contact. Raises NotFound, ContactAhead or ContactRefused."""
    at = command.at or uow.now
    if command.kind is ContactKind.MADE and at > uow.now:
        raise ContactAhead("at: lies ahead; log the contact as planned.")
    # Held, so that a no that is recorded meanwhile comes before this or after it, not in between.
    await lock_customer(uow, command.account_id, command.scope)
    verdict = await contactability_of(
        uow.connection,
        command.account_id,
        channel=command.channel,
        purpose=command.purpose,
        at=at,
        contact_point=command.contact_point,
    )
    _require_allowed(verdict)
    contact = ContactRow(
        contact_id=new_id(),
        account_id=command.account_id,
        kind=command.kind,
        channel=command.channel,
        purpose=command.purpose,
        contact_point=command.contact_point,
        at=at,
        reason=verdict.reason,
        logged_at=uow.now,
        logged_by=uow.actor,
    )
    binds = {name: getattr(contact, name) for name in ContactRow.__dataclass_fields__}
    await uow.connection.execute(_LOG, binds)
    return contact


def _require_allowed(verdict: Verdict) -> None:
    if verdict.allowed:
        return
    allowed_from = None if verdict.allowed_from is None else verdict.allowed_from.isoformat()
    advice = f"wait until {allowed_from}" if allowed_from else "take another channel, or ask for consent"
    raise ContactRefused(
        f"The customer may not be contacted like this ({verdict.reason}); {advice}.",
        reason=verdict.reason.value,
        consent_id=None if verdict.statement is None else str(verdict.statement.consent_id),
        allowed_from=allowed_from,
    )
