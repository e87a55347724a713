"""How everything told of an enrolment is weighed: its row is locked, and its award follows its completion."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.collab.training.awards.commands.write_award import Holder, cut, grant, lock_held
from services.collab.training.certifications.queries import find_certification
from services.collab.training.certifications.validity import Period, Withheld, earn
from services.collab.training.enrolments.enrolment import Enrolment, Satisfied
from services.collab.training.programmes.programme import ProgrammeVersion
from services.collab.training.programmes.queries import find_version
from services.collab.training.visibility import rep_in_scope
from shared.db.scope import Scope
from shared.db.sqlstate import UNIQUE_VIOLATION, sqlstate_of
from shared.db.transact import Overtaken
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import NotFound, VersionMismatch

_LOCK = text(f"""
SELECT e.enrolment_id, e.programme_id, e.programme_version, e.rep_id, e.version, e.completed_on, EXISTS (
    SELECT 1 FROM enrolments AS later WHERE later.programme_id = e.programme_id AND later.rep_id = e.rep_id
      AND later.renews_award_id IS NOT DISTINCT FROM e.renews_award_id AND later.enrolment_id > e.enrolment_id
) AS enrolled_again
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
_AWARDS = text("""
SELECT award_id, valid_from, valid_to, renewable_from, lapses_on, revoked_at IS NOT NULL AS cut FROM awards
WHERE enrolment_id = :enrolment AND valid_from < valid_to ORDER BY valid_from FOR UPDATE
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
    found = await uow.connection.execute(
        _LOCK, {**scope.parameters(), "at": uow.now, "enrolment": enrolment_id}
    )
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
        enrolled_again=row.enrolled_again,
    )
    return Held(enrolment_id, row.rep_id, row.version, programme, progress)


async def settle(
    held: Held, after: Enrolment, uow: UnitOfWork, *, voiding: str | None = None
) -> Withheld | None:
    """Store where the enrolment stands now, and have the award follow a completion that came, went or moved.

    Return why another pass grants nothing, if it does not. Raises Overtaken.
    """
    before = held.progress
    if after.completed_on == before.completed_on:
        earns_again = before.completed_on is None or held.programme.grants is None
        return None if earns_again else Withheld.COMPLETED_BEFORE
    taken = [] if before.completed_on is None else await _take_back(held, uow, reason=voiding or "")
    withheld: Withheld | None = None
    code, passed_on = held.programme.grants, after.completed_on
    if code is not None and passed_on is not None:
        # Taking back a pass does not give back what was revoked: another pass of those days earns nothing either.
        revoked_since = any(period.cut and period.holds_on(passed_on) for period in taken)
        withheld = Withheld.REVOKED_SINCE if revoked_since else await _earn(held, passed_on, code, uow)
    await _store(held, after, withheld, uow)
    return withheld


async def _store(held: Held, after: Enrolment, withheld: Withheld | None, uow: UnitOfWork) -> None:
    binds = {"enrolment": held.enrolment_id, "state": after.state, "completed_on": after.completed_on}
    try:
        await uow.connection.execute(_STORE, {**binds, "withheld": withheld})
    except IntegrityError as error:
        # Somebody enrolled the rep again just now: then this enrolment is superseded, and does not open.
        if sqlstate_of(error) == UNIQUE_VIOLATION:
            raise Overtaken from None
        raise


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


async def _take_back(held: Held, uow: UnitOfWork, *, reason: str) -> list[Period]:
    """Have what the completion granted never have counted, revoked since or not; return the days it had."""
    code = held.programme.grants
    if code is None:
        return []
    rows = (await uow.connection.execute(_AWARDS, {"enrolment": held.enrolment_id})).mappings().all()
    taken: list[Period] = []
    for values in map(dict, rows):
        award_id = values.pop("award_id")
        taken.append(period := Period(**values))
        holder = Holder(held.rep_id, code)
        await cut(award_id, holder, period, uow, from_day=period.valid_from, reason=reason)
    return taken
