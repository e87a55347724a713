"""Logging a contact: one that is planned or was made is refused when the customer does not want it.

One that the customer made starts the clock of its answer; the next one made to them is the answer.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.commands import lock_customer
from services.collab.customers.contacts.contactability import Verdict
from services.collab.customers.contacts.queries import ContactKind, ContactRow, contactability_of
from services.collab.customers.contacts.refusals import ContactAhead, ContactRefused
from services.collab.projections.alignments import find_territory
from services.collab.protocols.obligations.commands.close_obligations import close_answered
from services.collab.protocols.obligations.commands.open_obligations import Subject, open_obligations
from services.collab.protocols.protocol import Trigger
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
    if command.kind is not ContactKind.PLANNED and at > uow.now:
        raise ContactAhead("at: lies ahead; log the contact as planned.")
    # Held, so that a no that is recorded meanwhile comes before this or after it, not in between.
    await lock_customer(uow, command.account_id, command.scope)
    reason = None
    if command.kind is not ContactKind.RECEIVED:
        reason = (await _require_allowed(command, at, uow)).reason
    contact = ContactRow(
        contact_id=new_id(),
        account_id=command.account_id,
        kind=command.kind,
        channel=command.channel,
        purpose=command.purpose,
        contact_point=command.contact_point,
        at=at,
        reason=reason,
        logged_at=uow.now,
        logged_by=uow.actor,
    )
    binds = {name: getattr(contact, name) for name in ContactRow.__dataclass_fields__}
    await uow.connection.execute(_LOG, binds)
    await _keep_clocks(contact, uow)
    return contact


async def _keep_clocks(contact: ContactRow, uow: UnitOfWork) -> None:
    if contact.kind is ContactKind.MADE:
        await close_answered(contact.account_id, contact.at, uow)
    if contact.kind is ContactKind.RECEIVED:
        territory = await find_territory(uow.connection, contact.account_id)
        subject = Subject(contact.contact_id, contact.account_id, territory, contact.at)
        await open_obligations(Trigger.CUSTOMER_CONTACTED, [subject], uow)


async def _require_allowed(command: LogContact, at: datetime, uow: UnitOfWork) -> Verdict:
    verdict = await contactability_of(
        uow.connection,
        command.account_id,
        channel=command.channel,
        purpose=command.purpose,
        at=at,
        contact_point=command.contact_point,
    )
    if verdict.allowed:
        return verdict
    allowed_from = None if verdict.allowed_from is None else verdict.allowed_from.isoformat()
    advice = f"wait until {allowed_from}" if allowed_from else "take another channel, or ask for consent"
    raise ContactRefused(
        f"The customer may not be contacted like this ({verdict.reason}); {advice}.",
        reason=verdict.reason.value,
        consent_id=None if verdict.statement is None else str(verdict.statement.consent_id),
        allowed_from=allowed_from,
    )
