"""Pinning accounts in a draft, and taking pins out; what was live never changes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.assignment.accounts.queries import find_account
from services.assignment.pins.pin import Pin, check_expiry
from services.assignment.pins.queries import find_pin
from services.assignment.pins.refusals import UnknownOwner
from services.assignment.plans.commands.revise_draft import DraftAsRead, revise_draft
from services.assignment.territories.queries import find_territory, require_in_scope
from shared.db.scope import EVERYWHERE, Scope
from shared.db.sqlstate import FOREIGN_KEY_VIOLATION, sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

_NAMES = tuple(Pin.__dataclass_fields__)

_STORE = text(f"""
INSERT INTO pins ({", ".join(_NAMES)}) VALUES ({", ".join(f":{name}" for name in _NAMES)})
ON CONFLICT (plan_id, account_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _NAMES[2:])}
""")
_DELETE = text("DELETE FROM pins WHERE plan_id = :plan_id AND account_id = :account_id")
_COPY = text(f"""
INSERT INTO pins ({", ".join(_NAMES)})
SELECT :target, {", ".join(_NAMES[1:])} FROM pins WHERE plan_id = :source
""")


@dataclass(frozen=True, slots=True)
class PinAccount:
    """Hold an account in a territory of a draft; the owner is a rep or a subject of tokens."""

    draft: DraftAsRead
    account_id: UUID
    territory_id: UUID
    reason: str
    owner_rep_id: UUID | None
    owner_subject: str | None
    expires_at: datetime | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class UnpinAccount:
    """Let the rules of a draft decide on an account again."""

    draft: DraftAsRead
    account_id: UUID
    scope: Scope


@dataclass(frozen=True, slots=True)
class RevisedPins:
    """The pin that was stored, if one was, and the version of the plan this made."""

    version: int
    pin: Pin | None = None


async def pin_account(command: PinAccount, uow: UnitOfWork) -> RevisedPins:
    """Pin an account of the caller's scope in a territory of it.

    Raises NotFound, PinExpired, UnknownOwner, PlanNotDraft, VersionMismatch, PlanBusy.
    """
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    check_expiry(command.expires_at, uow.now)
    await find_account(uow.connection, command.account_id, scope=command.scope)
    await find_territory(uow.connection, plan_id, command.territory_id, scope=command.scope)
    await _require_not_pinned_elsewhere(uow, command)
    pin = Pin(
        plan_id=plan_id,
        account_id=command.account_id,
        territory_id=command.territory_id,
        reason=command.reason,
        owner_rep_id=command.owner_rep_id,
        owner_subject=command.owner_subject if command.owner_rep_id is None else None,
        expires_at=command.expires_at,
        pinned_at=uow.now,
        pinned_by=uow.actor,
    )
    await _store(uow, pin)
    return RevisedPins(version, pin)


async def unpin_account(command: UnpinAccount, uow: UnitOfWork) -> RevisedPins:
    """Take a pin out of a draft. Raises NotFound, PlanNotDraft, VersionMismatch, PlanBusy."""
    plan_id = command.draft.plan_id
    version = await revise_draft(uow, command.draft)
    await find_pin(uow.connection, plan_id, command.account_id, scope=command.scope)
    await uow.connection.execute(_DELETE, {"plan_id": plan_id, "account_id": command.account_id})
    return RevisedPins(version)


async def copy_pins(uow: UnitOfWork, *, source: UUID, target: UUID) -> None:
    """Give one plan the pins of another, expired ones too: the gate names them until somebody decides."""
    await uow.connection.execute(_COPY, {"source": source, "target": target})


async def _require_not_pinned_elsewhere(uow: UnitOfWork, command: PinAccount) -> None:
    if command.scope.everything:
        return
    try:
        pin = await find_pin(uow.connection, command.draft.plan_id, command.account_id, scope=EVERYWHERE)
    except NotFound:
        return
    await require_in_scope(uow.connection, command.draft.plan_id, {pin.territory_id}, scope=command.scope)


async def _store(uow: UnitOfWork, pin: Pin) -> None:
    try:
        await uow.connection.execute(_STORE, {name: getattr(pin, name) for name in _NAMES})
    except IntegrityError as error:
        if sqlstate_of(error) == FOREIGN_KEY_VIOLATION:
            raise UnknownOwner("owner_rep_id: no rep has that id; import reps first.") from None
        raise
