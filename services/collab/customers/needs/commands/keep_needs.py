"""Registering needs, changing them, showing how they stand. Events carry the kind and the status, never the text."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.access import COVERED
from services.collab.customers.commands import captured, lock_customer
from services.collab.customers.need_kinds.queries import require_need_kind
from services.collab.customers.needs.need import LIVE, DropReason, Need, NeedStatus
from services.collab.customers.needs.queries import NeedRow, find_need
from services.collab.customers.needs.refusals import TooMuchEvidence
from services.collab.customers.source import Source
from services.collab.projections.alignments import territory_of
from services.collab.projections.coverages import rep_of
from shared.contracts.customers import NeedChanged
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound, VersionMismatch

MOST_EVIDENCE = 100

# Nobody named: whoever covers the account's territory looks after the need.
_REGISTER = text(f"""
INSERT INTO needs (need_id, account_id, kind, body, owner_rep_id, status, due_on, source, confidence_percent,
    captured_at, version, registered_at, registered_by, changed_at)
VALUES (:need, :account, :kind, :body,
    coalesce(CAST(:owner AS uuid), {rep_of(territory_of("CAST(:account AS uuid)"), "CAST(:now AS timestamptz)")}),
    'open', :due_on, :source, :confidence_percent, :captured_at, 1, :now, :actor, :now)
""")
_LOCK = text(f"""
SELECT n.need_id, n.kind, n.status, n.version, n.drop_reason,
    (SELECT count(*) FROM need_evidence AS e WHERE e.need_id = n.need_id) AS evidence
FROM needs AS n WHERE n.need_id = :need AND n.account_id = :account AND {COVERED} FOR UPDATE OF n
""")
_ADD_EVIDENCE = text("""
INSERT INTO need_evidence (evidence_id, need_id, kind, body, added_at, added_by)
VALUES (:evidence, :need, :kind, :body, :now, :actor)
""")
_COLUMNS = {"text": "body", "owner_rep_id": "owner_rep_id", "due_on": "due_on"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterNeed:
    """Enter what a customer needs."""

    account_id: UUID
    scope: Scope
    kind: str
    text: str
    owner_rep_id: UUID | None
    due_on: date | None
    source: Source
    confidence_percent: int
    captured_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeNeed:
    """Change what is named in `values`; a status change has its own rules."""

    account_id: UUID
    need_id: UUID
    scope: Scope
    expected_version: int
    status: NeedStatus | None
    drop_reason: DropReason | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddEvidence:
    """Show how a need stands."""

    account_id: UUID
    need_id: UUID
    scope: Scope
    kind: str
    text: str


async def register_need(command: RegisterNeed, uow: UnitOfWork) -> NeedRow:
    """Register a need. Raises NotFound, UnknownNeedKind or CapturedAhead."""
    await lock_customer(uow, command.account_id, command.scope)
    await require_need_kind(uow.connection, command.kind)
    need = Need(new_id(), command.kind, NeedStatus.OPEN, version=1, evidence=0)
    binds = {
        "need": need.need_id,
        "account": command.account_id,
        "kind": command.kind,
        "body": command.text,
        "owner": command.owner_rep_id,
        "due_on": command.due_on,
        "source": command.source,
        "confidence_percent": command.confidence_percent,
        "captured_at": captured(command.captured_at, uow.now),
        "now": uow.now,
        "actor": uow.actor,
    }
    await uow.connection.execute(_REGISTER, binds)
    _announce(command.account_id, need, uow)
    return await find_need(uow.connection, command.account_id, need.need_id, scope=command.scope)


async def change_need(command: ChangeNeed, uow: UnitOfWork) -> NeedRow:
    """Change a need. Raises VersionMismatch, NotFound, or what Need.become raises."""
    before = await lock_need(
        uow,
        command.account_id,
        command.need_id,
        scope=command.scope,
        expected_version=command.expected_version,
    )
    after = before.touch()
    if command.status is not None and (command.status is not before.status or command.drop_reason):
        after = after.become(command.status, because=command.drop_reason)
    await _save(after, command.values, uow)
    if after.status is not before.status:
        _announce(command.account_id, after, uow)
    return await find_need(uow.connection, command.account_id, command.need_id, scope=command.scope)


async def add_evidence(command: AddEvidence, uow: UnitOfWork) -> NeedRow:
    """Add an entry of evidence. Raises NotFound or TooMuchEvidence."""
    need = await lock_need(uow, command.account_id, command.need_id, scope=command.scope)
    if need.evidence >= MOST_EVIDENCE:
        raise TooMuchEvidence(
            f"evidence: a need holds at most {MOST_EVIDENCE} entries; register another need."
        )
    binds = {"evidence": new_id(), "need": need.need_id, "kind": command.kind, "body": command.text}
    await uow.connection.execute(_ADD_EVIDENCE, {**binds, "now": uow.now, "actor": uow.actor})
    await _save(need.touch(), {}, uow)
    return await find_need(uow.connection, command.account_id, need.need_id, scope=command.scope)


async def lock_need(
    uow: UnitOfWork, account_id: UUID, need_id: UUID, *, scope: Scope, expected_version: int | None = None
) -> Need:
    """Load a need for a change. Raises NotFound or VersionMismatch."""
    found = await uow.connection.execute(
        _LOCK, {**scope.parameters(), "account": account_id, "need": need_id}
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("need_id: the account has no such need.")
    if expected_version not in {None, row.version}:
        raise VersionMismatch(f"If-Match: the need is at version {row.version}; read it again.")
    reason = None if row.drop_reason is None else DropReason(row.drop_reason)
    return Need(row.need_id, row.kind, NeedStatus(row.status), row.version, row.evidence, reason)


async def _save(need: Need, values: Mapping[str, Any], uow: UnitOfWork) -> None:
    named = {name: _COLUMNS[name] for name in values}
    # A new text is nobody's erased one.
    also = [", erased_at = NULL"] if "text" in named else []
    sets = "".join([*(f", {column} = :{name}" for name, column in named.items()), *also])
    statement = text(f"""
        UPDATE needs SET status = :status, drop_reason = :drop_reason, version = :version, changed_at = :now,
            closed_at = CASE WHEN CAST(:live AS boolean) THEN NULL ELSE coalesce(closed_at, :now) END{sets}
        WHERE need_id = :need
    """)
    binds = {
        "need": need.need_id,
        "status": need.status,
        "drop_reason": need.drop_reason,
        "version": need.version,
        "live": need.status in LIVE,
        "now": uow.now,
    }
    await uow.connection.execute(statement, {**binds, **values})


def _announce(account_id: UUID, need: Need, uow: UnitOfWork) -> None:
    uow.outbox.add(
        NeedChanged(
            account_id=account_id,
            need_id=need.need_id,
            kind=need.kind,
            status=need.status.value,
            changed_at=uow.now,
        )
    )
