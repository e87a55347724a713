"""Recording a customer's yes or no: a source's later word holds instead of its earlier one, two sources' hold both."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.commands import lock_customer
from services.collab.customers.consents.consent import ConsentState, Statement, Target
from services.collab.customers.consents.queries import ConsentRow, find_words_from, key_of
from services.collab.customers.consents.refusals import ConsentEndsTooSoon, TooManyConsents
from services.collab.customers.consents.succession import Succession, succeed
from services.collab.customers.source import Source
from shared.contracts.customers import ConsentChanged
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

MOST_CONSENTS = 1_000

_COUNT = text("SELECT count(*) FROM consents WHERE account_id = :account")
_WITHDRAW = text("""
UPDATE consents SET withdrawn_at = :now WHERE consent_id = ANY(CAST(:consents AS uuid[]))
""")
_CHANGE = text("""
UPDATE consents SET valid = tstzrange(changed.effective_from, changed.effective_to)
FROM unnest(CAST(:consents AS uuid[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
    AS changed (consent_id, effective_from, effective_to)
WHERE consents.consent_id = changed.consent_id
""")
_RECORD = text("""
INSERT INTO consents (consent_id, account_id, level, channel, contact_point, purpose, target, state, source,
    valid, resumes, recorded_at, recorded_by)
VALUES (:consent, :account, :level, :channel, :contact_point, :purpose, :target, :state, :source,
    tstzrange(:effective_from, :effective_to), :resumes, :now, :actor)
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
    account_id = command.account_id
    await lock_customer(uow, account_id, command.scope)
    if await uow.connection.scalar(_COUNT, {"account": account_id}) >= MOST_CONSENTS:
        raise TooManyConsents(f"consents: an account keeps at most {MOST_CONSENTS} of them.")
    said = _said(command, uow.now)
    others = await find_words_from(
        uow.connection, account_id, target=said.target, source=said.source, since=said.effective_from
    )
    succession = succeed(said, others, now=uow.now, new_id=new_id)
    await _make_room(succession, uow)
    new = (succession.word, *succession.resumed)
    await _record(account_id, new, uow)
    # What is yet to hold, and will for another time than was told, is told again.
    _announce(account_id, (*new, *(one for one in succession.changed if one.effective_from > uow.now)), uow)
    return ConsentRow(succession.word, uow.now, uow.actor)


def _said(command: RecordConsent, now: datetime) -> Statement:
    starts, ends = command.effective_from or now, command.effective_to
    if ends is not None and ends <= starts:
        raise ConsentEndsTooSoon("effective_to: must lie after effective_from, which is now when left out.")
    return Statement(
        consent_id=new_id(),
        target=command.target,
        state=command.state,
        source=command.source,
        effective_from=starts,
        effective_to=ends,
    )


async def _make_room(succession: Succession, uow: UnitOfWork) -> None:
    changed = succession.changed
    if succession.withdrawn:
        binds = {"consents": list(succession.withdrawn), "now": uow.now}
        await uow.connection.execute(_WITHDRAW, binds)
    if changed:
        await uow.connection.execute(
            _CHANGE,
            {
                "consents": [one.consent_id for one in changed],
                "starts": [one.effective_from for one in changed],
                "ends": [one.effective_to for one in changed],
            },
        )


async def _record(account_id: UUID, statements: Sequence[Statement], uow: UnitOfWork) -> None:
    for one in statements:
        await uow.connection.execute(
            _RECORD,
            {
                "consent": one.consent_id,
                "account": account_id,
                "level": one.target.level,
                "channel": one.target.channel,
                "contact_point": one.target.contact_point,
                "purpose": one.target.purpose,
                "target": key_of(one.target),
                "state": one.state,
                "source": one.source,
                "effective_from": one.effective_from,
                "effective_to": one.effective_to,
                "resumes": one.resumes,
                "now": uow.now,
                "actor": uow.actor,
            },
        )


def _announce(account_id: UUID, statements: Iterable[Statement], uow: UnitOfWork) -> None:
    uow.outbox.add_all(
        ConsentChanged(
            account_id=account_id,
            consent_id=one.consent_id,
            level=one.target.level.value,
            channel=one.target.channel,
            purpose=one.target.purpose,
            state=one.state.value,
            effective_from=one.effective_from,
            effective_to=one.effective_to,
            changed_at=uow.now,
        )
        for one in statements
    )
