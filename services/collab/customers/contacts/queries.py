"""Whether a customer may be contacted, and the contacts that were logged."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.customers.access import require_account
from services.collab.customers.channel import Channel, Purpose
from services.collab.customers.consents.queries import find_statements
from services.collab.customers.contacts.contactability import Asked, Reason, Verdict, judge_contact
from services.collab.customers.preferences.preference import contact_hours_of
from services.collab.customers.preferences.queries import find_preferences
from services.collab.protocols.obligations.queries import find_subjects_to_answer
from shared.db.scope import Scope


class ContactKind(StrEnum):
    """Whether a contact is yet to come, was made to the customer, or by them."""

    PLANNED = "planned"
    MADE = "made"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact, and why it was allowed when it was logged; one that the customer made needs no reason."""

    contact_id: UUID
    account_id: UUID
    kind: ContactKind
    channel: Channel
    purpose: Purpose
    contact_point: str | None
    at: datetime
    reason: Reason | None
    logged_at: datetime
    logged_by: str


_LIST = text("""
SELECT contact_id, account_id, kind, channel, purpose, contact_point, at, reason, logged_at, logged_by
FROM contacts WHERE account_id = :account
    AND (CAST(:after AS uuid) IS NULL OR contact_id > CAST(:after AS uuid))
ORDER BY contact_id LIMIT :limit
""")
_ASKED_THERE = text("""
SELECT EXISTS (
    SELECT 1 FROM contacts WHERE contact_id = ANY (CAST(:contacts AS uuid[])) AND channel = :channel
      AND (CAST(:contact_point AS text) IS NULL OR contact_point = :contact_point)
)
""")


async def contactability_of(
    connection: AsyncConnection,
    account_id: UUID,
    *,
    channel: Channel,
    purpose: Purpose,
    at: datetime,
    contact_point: str | None = None,
) -> Verdict:
    """Return whether a customer may be contacted, whoever asks: for protocols as for routes."""
    waiting = await find_subjects_to_answer(connection, account_id, at=at)
    binds = {"contacts": waiting, "channel": channel, "contact_point": contact_point}
    owed = (await connection.execute(_ASKED_THERE, binds)).scalar_one()
    return judge_contact(
        Asked(channel, purpose, at, contact_point, owed),
        await find_statements(connection, account_id, at=at),
        contact_hours_of(await find_preferences(connection, account_id)),
    )


async def list_contacts(
    read: AsyncConnection, account_id: UUID, *, scope: Scope, after: UUID | None, limit: int
) -> list[ContactRow]:
    """Return contacts in the order they were logged. Raises NotFound."""
    await require_account(read, account_id, scope)
    rows = await read.execute(_LIST, {"account": account_id, "after": after, "limit": limit})
    return [
        ContactRow(
            contact_id=row.contact_id,
            account_id=row.account_id,
            kind=ContactKind(row.kind),
            channel=Channel(row.channel),
            purpose=Purpose(row.purpose),
            contact_point=row.contact_point,
            at=row.at,
            reason=None if row.reason is None else Reason(row.reason),
            logged_at=row.logged_at,
            logged_by=row.logged_by,
        )
        for row in rows
    ]
