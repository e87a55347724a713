"""Revoking an award."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from services.collab.training.awards.commands.write_award import Holder, cut
from services.collab.training.awards.queries import AwardRow, find_award
from services.collab.training.certifications.validity import Period
from services.collab.training.visibility import rep_in_scope
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound

_LOCK = text(f"""
SELECT w.rep_id, w.certification_code, w.valid_from, w.valid_to, w.renewable_from, w.lapses_on,
    w.revoked_at IS NOT NULL AS cut
FROM awards AS w WHERE w.award_id = :award AND {rep_in_scope("w.rep_id")} FOR UPDATE OF w
""")


@dataclass(frozen=True, slots=True)
class RevokeAward:
    """Take a certification away from today on, and say why."""

    award_id: UUID
    reason: str
    scope: Scope


async def revoke_award(command: RevokeAward, uow: UnitOfWork) -> AwardRow:
    """Revoke an award from today on. Raises NotFound or AwardOver."""
    found = await uow.connection.execute(
        _LOCK, {**command.scope.parameters(), "at": uow.now, "award": command.award_id}
    )
    row = found.mappings().one_or_none()
    if row is None:
        raise NotFound("award_id: no such award.")
    values = dict(row)
    holder = Holder(values.pop("rep_id"), values.pop("certification_code"))
    await cut(command.award_id, holder, Period(**values), uow, from_day=uow.now.date(), reason=command.reason)
    return await find_award(
        uow.connection, command.award_id, viewer=uow.actor, scope=command.scope, at=uow.now
    )
