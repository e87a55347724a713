"""Recording a customer's yes or no. A source's later word ends its earlier one; words of two sources both hold."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.commands import lock_customer
from services.collab.customers.consents.consent import ConsentState, Statement, Target
from services.collab.customers.consents.queries import ConsentRow
from services.collab.customers.consents.refusals import (
    ConsentEndsTooSoon,
    ConsentOverlaps,
    TooManyConsents,
)
from services.collab.customers.source import Source
from shared.contracts.customers import ConsentChanged
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

MOST_CONSENTS = 1_000

_COUNT = text("SELECT count(*) FROM consents WHERE account_id = :account")
# The target as one text, because a range without overlaps needs keys that are never null.
_LATER = text("""
SELECT lower(valid) FROM consents
WHERE account_id = :account AND target = :target AND source = :source AND lower(valid) >= :effective_from
ORDER BY lower(valid) LIMIT 1
""")
_END = text("""
UPDATE consents SET valid = tstzrange(lower(valid), :effective_from)
WHERE account_id = :account AND target = :target AND source = :source
    AND valid @> CAST(:effective_from AS timestamptz)
""")
_RECORD = text("""
INSERT INTO consents (consent_id, account_id, level, channel, contact_point, purpose, target, state, source,
    valid, recorded_at, recorded_by)
VALUES (:consent, :account, :level, :channel, :contact_point, :purpose, :target, :state, :source,
    tstzrange(:effective_from, :effective_to), :now, :actor)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordConsent:
    """Enter what a customer said about being contacted."""

    account_id: UUID
    scope: Scope
    target: Target
    state: ConsentState
    source: Source
    effective_from: datetime | None
    effective_to: datetime | None


async def record_consent(command: RecordConsent, uow: UnitOfWork) -> ConsentRow:
    """Record a statement. Raises NotFound, ConsentEndsTooSoon, ConsentOverlaps or TooManyConsents."""
    account_id, target = command.account_id, command.target
    await lock_customer(uow, account_id, command.scope)
    if await uow.connection.scalar(_COUNT, {"account": account_id}) >= MOST_CONSENTS:
        raise TooManyConsents(f"consents: an account keeps at most {MOST_CONSENTS} of them.")
    statement = Statement(
        consent_id=new_id(),
        target=target,
        state=command.state,
        source=command.source,
        effective_from=command.effective_from or uow.now,
        effective_to=command.effective_to,
    )
    await _follow_earlier(account_id, statement, uow)
    binds = {
        **_identity(account_id, statement),
        "consent": statement.consent_id,
        "level": target.level,
        "channel": target.channel,
        "contact_point": target.contact_point,
        "purpose": target.purpose,
        "state": statement.state,
        "effective_to": statement.effective_to,
    }
    await uow.connection.execute(_RECORD, {**binds, "now": uow.now, "actor": uow.actor})
    _announce(account_id, statement, uow)
    return ConsentRow(statement, uow.now, uow.actor)


async def _follow_earlier(account_id: UUID, statement: Statement, uow: UnitOfWork) -> None:
    starts, ends = statement.effective_from, statement.effective_to
    if ends is not None and ends <= starts:
        raise ConsentEndsTooSoon("effective_to: must lie after effective_from, which is now when left out.")
    identity = _identity(account_id, statement)
    later: datetime | None = await uow.connection.scalar(_LATER, identity)
    if later is not None:
        raise ConsentOverlaps(
            f"effective_from: this source's statement on the same from {later.isoformat()} on stands; "
            "begin after it."
        )
    await uow.connection.execute(_END, identity)


def _identity(account_id: UUID, statement: Statement) -> dict[str, Any]:
    target = statement.target
    part = target.channel or target.contact_point or target.purpose or ""
    return {
        "account": account_id,
        "target": f"{target.level}:{part}",
        "source": statement.source,
        "effective_from": statement.effective_from,
    }


def _announce(account_id: UUID, statement: Statement, uow: UnitOfWork) -> None:
    target = statement.target
    uow.outbox.add(
        ConsentChanged(
            account_id=account_id,
            consent_id=statement.consent_id,
            level=target.level.value,
            channel=target.channel,
            purpose=target.purpose,
            state=statement.state.value,
            effective_from=statement.effective_from,
            effective_to=statement.effective_to,
            changed_at=uow.now,
        )
    )
