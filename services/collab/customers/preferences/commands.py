"""Recording what was told of a customer's preferences: nothing is overwritten, what holds is resolved anew."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.commands import captured, lock_customer
from services.collab.customers.preferences.preference import (
    PreferenceName,
    Preferences,
    channels_of,
    language_of,
)
from services.collab.customers.preferences.queries import find_preferences
from services.collab.customers.preferences.refusals import TooManyObservations
from services.collab.customers.source import Source
from shared.contracts.customers import PreferencesChanged
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

MOST_OBSERVATIONS = 1_000

_COUNT = text("SELECT count(*) FROM preference_observations WHERE account_id = :account")
_RECORD = text("""
INSERT INTO preference_observations (observation_id, account_id, name, value, source, confidence_percent,
    captured_at, recorded_at, recorded_by)
VALUES (:observation, :account, :name, CAST(:value AS jsonb), :source, :confidence_percent, :captured_at,
    :now, :actor)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPreference:
    """Enter what somebody told."""

    account_id: UUID
    scope: Scope
    name: PreferenceName
    value: Any
    source: Source
    confidence_percent: int
    captured_at: datetime | None


async def record_preference(command: RecordPreference, uow: UnitOfWork) -> Preferences:
    """Record it and return what holds now. Raises NotFound, CapturedAhead or TooManyObservations."""
    account_id = command.account_id
    await lock_customer(uow, account_id, command.scope)
    if await uow.connection.scalar(_COUNT, {"account": account_id}) >= MOST_OBSERVATIONS:
        raise TooManyObservations(f"preferences: an account keeps at most {MOST_OBSERVATIONS} words of them.")
    before = await find_preferences(uow.connection, account_id)
    binds = {
        "observation": new_id(),
        "account": account_id,
        "name": command.name,
        "value": json.dumps(command.value),
        "source": command.source,
        "confidence_percent": command.confidence_percent,
        "captured_at": captured(command.captured_at, uow.now),
    }
    await uow.connection.execute(_RECORD, {**binds, "now": uow.now, "actor": uow.actor})
    after = await find_preferences(uow.connection, account_id)
    if _values(after) != _values(before):
        uow.outbox.add(
            PreferencesChanged(
                account_id=account_id,
                language=language_of(after),
                channels=tuple(channel.value for channel in channels_of(after)),
                changed_at=uow.now,
            )
        )
    return after


def _values(preferences: Preferences) -> dict[PreferenceName, Any]:
    return {name: preference.holds.value for name, preference in preferences.items()}
