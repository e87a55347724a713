"""Granting a certification by hand. Passing a programme grants through the enrolment."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from services.collab.training.awards.commands.write_award import Holder, grant, lock_held
from services.collab.training.awards.queries import AwardRow, find_award
from services.collab.training.certifications.queries import find_certification, require_certifications
from services.collab.training.certifications.validity import require_free
from services.collab.training.refusals import DayAhead
from services.collab.training.visibility import require_rep
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class GrantAward:
    """Certify a rep without a programme: what they brought along."""

    rep_id: UUID
    certification_code: str
    valid_from: date
    scope: Scope


async def grant_award(command: GrantAward, uow: UnitOfWork) -> AwardRow:
    """Grant a certification for a whole period. Raises NotFound, DayAhead, UnknownCertification, AwardOverlaps."""
    if command.valid_from > uow.now.date():
        raise DayAhead("valid_from: lies ahead; a certification begins on the day it was earned.")
    await require_rep(uow.connection, command.rep_id, scope=command.scope, at=uow.now)
    code = command.certification_code
    await require_certifications(uow.connection, [code], field="certification_code")
    period = (await find_certification(uow.connection, code)).terms.period(command.valid_from)
    holder = Holder(command.rep_id, code)
    held = await lock_held(holder, uow)
    require_free(period, held)
    renewal = any(other.valid_from < period.valid_from for other in held)
    award_id = await grant(holder, period, uow, renewal=renewal)
    return await find_award(uow.connection, award_id, viewer=uow.actor, scope=command.scope, at=uow.now)
