"""How everything told of an enrolment is weighed: its row is locked, and its award follows its completion."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text

from services.collab.training.awards.commands.write_award import Holder, cut, grant, lock_held
from services.collab.training.certifications.queries import find_certification
from services.collab.training.certifications.refusals import AwardOverlaps
from services.collab.training.certifications.validity import Period, Withheld, earn
from services.collab.training.enrolments.enrolment import Enrolment, Satisfied
from services.collab.training.programmes.programme import ProgrammeVersion
from services.collab.training.programmes.queries import find_version
from services.collab.training.visibility import rep_in_scope
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound, VersionMismatch

_LOCK = text(f"""
SELECT e.enrolment_id, e.programme_id, e.programme_version, e.rep_id, e.version, e.completed_on
FROM enrolments AS e WHERE e.enrolment_id = :enrolment AND {rep_in_scope("e.rep_id")} FOR UPDATE OF e
""")
_SATISFIED = text("""
SELECT course_code, completed_on AS day, statement_id FROM training_statements
WHERE enrolment_id = :enrolment AND passed AND voided_at IS NULL
UNION ALL
SELECT course_code, waived_on, NULL FROM course_waivers WHERE enrolment_id = :enrolment
""")
_STORE = text("""
UPDATE enrolments SET state = :state, completed_on = :completed_on, award_withheld = :withheld,
    version = version + 1
WHERE enrolment_id = :enrolment
""")
_AWARD = text("""
SELECT award_id, valid_from, valid_to, renewable_from, lapses_on FROM awards
WHERE enrolment_id = :enrolment AND revoked_at IS NULL FOR UPDATE
""")


@dataclass(frozen=True, slots=True)
class Held:
    """A locked enrolment with the programme's version it is measured by."""

    enrolment_id: UUID
    rep_id: UUID
    version: int
    programme: ProgrammeVersion
    progress: Enrolment


async def lock_enrolment(
    enrolment_id: UUID, uow: UnitOfWork, *, scope: Scope, expected_version: int | None = None
) -> Held:
    """Load an enrolment for a change. Raises NotFound or VersionMismatch."""
    found = await uow.connection.execute(_LOCK, {**scope.parameters(), "enrolment": enrolment_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound("enrolment_id: no such enrolment.")
    if expected_version not in {None, row.version}:
        raise VersionMismatch(f"If-Match: the enrolment is at version {row.version}; read it again.")
    programme = await find_version(uow.connection, row.programme_id, row.programme_version)
    satisfied = await uow.connection.execute(_SATISFIED, {"enrolment": enrolment_id})
    progress = Enrolment(
        courses=frozenset(course.code for course in programme.courses),
        satisfied=tuple(Satisfied(s.course_code, s.day, s.statement_id) for s in satisfied),
        completed_on=row.completed_on,
    )
    return Held(enrolment_id, row.rep_id, row.version, programme, progress)


async def settle(held: Held, after: Enrolment, uow: UnitOfWork, *, voiding: str | None = None) -> None:
    """Store where the enrolment stands now, and have the award follow a completion that came, went or moved.

    Raises AwardOverlaps, unless a statement is being voided: that always succeeds.
    """
    before = held.progress
    withheld: Withheld | None = None
    if after.completed_on == before.completed_on:
        return
    if before.completed_on is not None:
        await _take_back(held, uow, reason=voiding or "")
    if after.completed_on is not None and held.programme.grants is not None:
        try:
            withheld = await _earn(held, after.completed_on, held.programme.grants, uow)
        except AwardOverlaps:
            if voiding is None:
                raise
            withheld = Withheld.FOLLOWED_BY_ANOTHER
    binds = {"enrolment": held.enrolment_id, "state": after.state, "completed_on": after.completed_on}
    await uow.connection.execute(_STORE, {**binds, "withheld": withheld})


async def _earn(held: Held, passed_on: date, code: str, uow: UnitOfWork) -> Withheld | None:
    holder = Holder(held.rep_id, code)
    terms = (await find_certification(uow.connection, code)).terms
    periods = await lock_held(holder, uow)
    earned = earn(passed_on, terms, periods)
    if isinstance(earned, Withheld):
        return earned
    renewal = any(period.valid_from < earned.valid_from for period in periods)
    await grant(holder, earned, uow, renewal=renewal, enrolment_id=held.enrolment_id)
    return None


async def _take_back(held: Held, uow: UnitOfWork, *, reason: str) -> None:
    code = held.programme.grants
    row = (await uow.connection.execute(_AWARD, {"enrolment": held.enrolment_id})).one_or_none()
    if code is None or row is None:
        return
    period = Period(row.valid_from, row.valid_to, row.renewable_from, row.lapses_on)
    holder = Holder(held.rep_id, code)
    await cut(row.award_id, holder, period, uow, from_day=row.valid_from, reason=reason)
