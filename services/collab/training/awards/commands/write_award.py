"""Writing awards down, and taking them back: the one place that announces who is certified."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.collab.training.certifications.validity import Period
from shared.contracts.training import CertificationGranted, CertificationRevoked
from shared.db.sqlstate import EXCLUSION_VIOLATION, sqlstate_of
from shared.db.transact import Overtaken
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_HELD = text("""
SELECT valid_from, valid_to, renewable_from, lapses_on, revoked_at IS NOT NULL AS cut FROM awards
WHERE rep_id = :rep AND certification_code = :code AND valid_from < valid_to
ORDER BY valid_from FOR UPDATE
""")
_GRANT = text("""
INSERT INTO awards (award_id, rep_id, certification_code, valid_from, valid_to, granted_to, renewable_from,
    lapses_on, renewal, enrolment_id, granted_at, granted_by)
VALUES (:award, :rep, :code, :valid_from, :valid_to, :valid_to, :renewable_from, :lapses_on, :renewal,
    :enrolment, :now, :actor)
""")
_CUT = text("""
UPDATE awards SET valid_to = :valid_to, revoked_at = :now, revoked_by = :actor, revocation_reason = :reason
WHERE award_id = :award
""")


@dataclass(frozen=True, slots=True)
class Holder:
    """A rep, and a certification they hold or are to hold."""

    rep_id: UUID
    certification_code: str


async def lock_held(holder: Holder, uow: UnitOfWork) -> list[Period]:
    """Return the periods a rep holds a certification for, oldest first."""
    rows = await uow.connection.execute(_HELD, {"rep": holder.rep_id, "code": holder.certification_code})
    return [Period(**row) for row in rows.mappings()]


async def grant(
    holder: Holder, period: Period, uow: UnitOfWork, *, renewal: bool, enrolment_id: UUID | None = None
) -> UUID:
    """Write an award down and announce it. Raises Overtaken when somebody else was first."""
    award_id = new_id()
    try:
        await uow.connection.execute(
            _GRANT,
            {
                "award": award_id,
                "rep": holder.rep_id,
                "code": holder.certification_code,
                "valid_from": period.valid_from,
                "valid_to": period.valid_to,
                "renewable_from": period.renewable_from,
                "lapses_on": period.lapses_on,
                "renewal": renewal,
                "enrolment": enrolment_id,
                "now": uow.now,
                "actor": uow.actor,
            },
        )
    except IntegrityError as error:
        if sqlstate_of(error) == EXCLUSION_VIOLATION:
            raise Overtaken from None
        raise
    uow.outbox.add(
        CertificationGranted(
            award_id=award_id,
            rep_id=holder.rep_id,
            certification_code=holder.certification_code,
            valid_from=period.valid_from,
            valid_to=period.valid_to,
            renewal=renewal,
            granted_at=uow.now,
        )
    )
    return award_id


async def cut(
    award_id: UUID, holder: Holder, period: Period, uow: UnitOfWork, *, from_day: date, reason: str
) -> None:
    """Have an award count no more from a day on, and announce it. Raises AwardOver."""
    left = period.cut_from(from_day)
    binds = {"award": award_id, "valid_to": left.valid_to, "reason": reason}
    await uow.connection.execute(_CUT, {**binds, "now": uow.now, "actor": uow.actor})
    uow.outbox.add(
        CertificationRevoked(
            award_id=award_id,
            rep_id=holder.rep_id,
            certification_code=holder.certification_code,
            revoked_from=left.valid_to,
            revoked_at=uow.now,
        )
    )
