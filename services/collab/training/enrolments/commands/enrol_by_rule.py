"""Enrolling whom programmes name: set-based, and as often as one likes.

One enrolment per programme, rep and award to renew is open at a time, so a second run changes nothing.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from services.collab.projections.coverages import start_coverages
from shared.contracts.assignment import CoverageStarted
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

# A rep who holds the certification needs no programme for it; on its expiry they are enrolled to renew it. Who holds
# it no more is enrolled again, once nothing is open; what grants nothing is taken once.
_BY_RULE = text("""
WITH covering AS (
    SELECT DISTINCT c.rep_id, c.territory_id FROM coverages AS c
    WHERE c.valid_from <= :now AND (c.valid_to IS NULL OR c.valid_to > :now)
      AND (CAST(:reps AS uuid[]) IS NULL OR c.rep_id = ANY (CAST(:reps AS uuid[])))
), programme AS (
    SELECT v.* FROM programmes JOIN programme_versions AS v USING (programme_id, version)
), named AS (
    SELECT p.programme_id, c.rep_id, c.territory_id, 'territory_kind' AS cause
    FROM programme AS p JOIN live_plan AS live ON true JOIN territory_kinds AS k USING (plan_id)
    JOIN covering AS c USING (territory_id)
    WHERE k.kind = ANY (p.territory_kinds)
    UNION ALL
    SELECT p.programme_id, c.rep_id, c.territory_id, 'industry'
    FROM programme AS p JOIN covering AS c ON cardinality(p.industries) > 0
    WHERE EXISTS (
        SELECT 1 FROM current_alignments AS a JOIN account_industries AS i USING (account_id)
        WHERE a.territory_id = c.territory_id AND i.industry = ANY (p.industries)
    )
)
INSERT INTO enrolments (enrolment_id, programme_id, programme_version, rep_id, cause, territory_id, state,
    enrolled_at, enrolled_by, due_on)
SELECT DISTINCT ON (n.programme_id, n.rep_id) uuidv7(), n.programme_id, p.version, n.rep_id, n.cause,
    n.territory_id, 'open', CAST(:now AS timestamptz), :actor, CAST(:today AS date) + p.due_days
FROM named AS n JOIN programme AS p USING (programme_id)
WHERE NOT EXISTS (
    SELECT 1 FROM awards AS w WHERE w.rep_id = n.rep_id AND w.certification_code = p.grants
      AND w.valid_from < w.valid_to AND w.valid_to > :today
) AND NOT EXISTS (
    SELECT 1 FROM enrolments AS e WHERE e.programme_id = n.programme_id AND e.rep_id = n.rep_id
      AND (e.state = 'open' OR p.grants IS NULL)
)
ORDER BY n.programme_id, n.rep_id, n.cause DESC, n.territory_id
ON CONFLICT DO NOTHING
""")
_TO_RENEW = text("""
INSERT INTO enrolments (enrolment_id, programme_id, programme_version, rep_id, cause, renews_award_id, state,
    enrolled_at, enrolled_by, due_on)
SELECT uuidv7(), v.programme_id, v.version, w.rep_id, 'expiry', w.award_id, 'open',
    CAST(:now AS timestamptz), :actor, greatest(w.valid_to, CAST(:today AS date))
FROM awards AS w
JOIN programme_versions AS v ON v.grants = w.certification_code AND v.on_expiry
JOIN programmes AS p USING (programme_id, version)
WHERE w.award_id = ANY (CAST(:awards AS uuid[]))
ORDER BY v.programme_id, w.rep_id
ON CONFLICT DO NOTHING
""")


async def enrol_by_rule(uow: UnitOfWork, reps: Sequence[UUID] | None = None) -> int:
    """Enrol the reps that programmes name by their territory, of these or of all; return how many."""
    binds = {"reps": None if reps is None else list(reps), "now": uow.now, "today": uow.now.date()}
    done = await uow.connection.execute(_BY_RULE, {**binds, "actor": uow.actor})
    return done.rowcount


async def enrol_to_renew(uow: UnitOfWork, awards: Sequence[UUID]) -> int:
    """Enrol the holders of awards that are about to expire; return how many."""
    binds = {"awards": list(awards), "now": uow.now, "today": uow.now.date(), "actor": uow.actor}
    done = await uow.connection.execute(_TO_RENEW, binds)
    return done.rowcount


async def enrol_as_coverage_starts(received: Sequence[Received[CoverageStarted]], uow: UnitOfWork) -> None:
    """Note who covers a territory from now on, and enrol them in what their territory asks for."""
    await start_coverages(received, uow)
    await enrol_by_rule(uow, sorted({item.event.rep_id for item in received}))
