"""Trace accounts' journeys: which order was their first, and which lead led to a sale after how many days.

What a fact is on its account's way depends on the account's other facts, in whatever order those come. So it is
worked out again from all of them for every account that changed, and only the difference is counted.
"""

from sqlalchemy import text

from services.metrics.attribution.credit import deltas_of, hold_attribution
from services.metrics.rollups.figure import COUNTED_COLUMNS
from services.metrics.rollups.roll_up import ROLL_UP
from shared.db.unit_of_work import UnitOfWork

ACCOUNTS_AT_ONCE = 2_000
# One at a time: an account traced twice at once could keep the result that knew less.
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('metrics.journeys', 0))")
_CLAIM = text("""
WITH taken AS (
    DELETE FROM untraced_accounts WHERE seq IN (
        SELECT seq FROM untraced_accounts ORDER BY seq LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING account_id
)
SELECT count(*), coalesce(array_agg(DISTINCT account_id), '{}') FROM taken
""")
# `leads_so_far` numbers an account's leads in time; a sale of the same instant comes after the lead. A sale that
# names no lead came of the nearest one before it.
_JOURNEY = """
told AS (
    SELECT entity_key, account_id, kind, source, external_id, origin_external_id, occurred_at, paid, amount_minor,
           count(*) FILTER (WHERE kind = 'lead') OVER (
               PARTITION BY account_id ORDER BY occurred_at, kind <> 'lead', entity_key
           ) AS leads_so_far
    FROM facts
    WHERE account_id = ANY(CAST(:accounts AS uuid[])) AND kind IN ('lead', 'order', 'deal') AND NOT voided
), leads AS (
    SELECT * FROM told WHERE kind = 'lead'
), sales AS (
    -- An order below nothing is a credit of days without refunds.
    SELECT * FROM told WHERE kind <> 'lead' AND amount_minor > 0
), firsts AS (
    SELECT DISTINCT ON (account_id) * FROM sales WHERE kind = 'order'
    ORDER BY account_id, occurred_at, entity_key
), conversions AS (
    SELECT l.entity_key, s.occurred_at - l.occurred_at AS took
    FROM sales s JOIN leads l ON l.account_id = s.account_id AND l.leads_so_far = s.leads_so_far
    WHERE s.origin_external_id IS NULL
    UNION ALL
    SELECT l.entity_key, s.occurred_at - l.occurred_at
    FROM sales s JOIN leads l ON l.account_id = s.account_id AND l.source = s.source
        AND l.external_id = s.origin_external_id AND l.occurred_at <= s.occurred_at
), converted AS (
    SELECT entity_key, CAST(floor(extract(epoch FROM min(took)) / 86400) AS int) AS days
    FROM conversions GROUP BY entity_key
), traced AS (
    SELECT t.entity_key, f.entity_key IS NOT NULL AS first_order,
           f.entity_key IS NOT NULL AND coalesce(l.paid, false) AS paid_origin, c.days AS converted_after
    FROM told t
    LEFT JOIN firsts f ON f.entity_key = t.entity_key
    LEFT JOIN leads l ON l.account_id = f.account_id AND l.leads_so_far = f.leads_so_far
    LEFT JOIN converted c ON c.entity_key = t.entity_key
)
"""
_TRACE = text(f"""
WITH {_JOURNEY}, due AS (
    -- In the order in which facts are stored, so that neither waits crosswise for the other.
    SELECT f.entity_key, t.first_order, t.paid_origin, t.converted_after
    FROM traced t JOIN facts f ON f.entity_key = t.entity_key
    -- The accounts again, so that an index finds the facts.
    WHERE f.account_id = ANY(CAST(:accounts AS uuid[]))
      AND (f.first_order, f.paid_origin, f.converted_after)
          IS DISTINCT FROM (t.first_order, t.paid_origin, t.converted_after)
    ORDER BY f.entity_key FOR NO KEY UPDATE OF f
), changed AS (
    UPDATE facts f
    SET first_order = d.first_order, paid_origin = d.paid_origin, converted_after = d.converted_after
    FROM due d WHERE f.entity_key = d.entity_key
    RETURNING {", ".join(f"new.{name}" for name in COUNTED_COLUMNS)}, new.voided,
              {", ".join(f"old.{name} AS old_{name}" for name in COUNTED_COLUMNS)}
), signed AS (
    SELECT 1 AS sign, {", ".join(COUNTED_COLUMNS)} FROM changed WHERE NOT voided
    UNION ALL
    SELECT -1, {", ".join(f"old_{name}" for name in COUNTED_COLUMNS)} FROM changed WHERE NOT voided
), deltas AS ({deltas_of("signed")}), {ROLL_UP}
SELECT count(*) FROM changed
""")


async def trace_journeys(limit: int, uow: UnitOfWork) -> int:
    """Take up to `limit` entries of the queue; return how many were taken."""
    await uow.connection.execute(_ALONE)
    taken, accounts = (await uow.connection.execute(_CLAIM, {"limit": limit})).one()
    if taken:
        await hold_attribution(uow, accounts)
        await uow.connection.execute(_TRACE, {"accounts": accounts, "slot": 0})
    return int(taken)
