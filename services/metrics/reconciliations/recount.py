"""The SQL that counts all facts of some days anew and compares with the roll-ups, cell by cell.

Nothing is shared with the statements that keep the roll-ups: timelines become periods here, trees are walked
through the closure, figures are filtered sums.
"""

from sqlalchemy import text

from services.metrics.reconciliations.reconciliation import MAX_DIFFERENCES
from shared.contracts.identity import ORGANISATION, UNASSIGNED

_COUNTED = {
    "revenue_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'order')",
    "orders": "count(*) FILTER (WHERE f.kind = 'order')",
    "leads": "count(*) FILTER (WHERE f.kind = 'lead')",
    "opportunities": "count(*) FILTER (WHERE f.kind = 'opportunity')",
    "open_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'opportunity' AND f.stage = 'open')",
    "won": "count(*) FILTER (WHERE f.kind = 'opportunity' AND f.stage = 'won')",
    "won_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'opportunity' AND f.stage = 'won')",
    "lost": "count(*) FILTER (WHERE f.kind = 'opportunity' AND f.stage = 'lost')",
    "lost_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'opportunity' AND f.stage = 'lost')",
    "spend_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'spend')",
    "paid_spend_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'spend' AND f.paid IS TRUE)",
    "refunds": "count(*) FILTER (WHERE f.kind = 'refund')",
    "refunded_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'refund')",
    "deals": "count(*) FILTER (WHERE f.kind = 'deal')",
    "dealt_minor": "isum(f.amount_minor) FILTER (WHERE f.kind = 'deal')",
    "new_customers": "count(*) FILTER (WHERE f.first_order)",
    "paid_new_customers": "count(*) FILTER (WHERE f.paid_origin)",
    "converted_7": "count(*) FILTER (WHERE f.converted_after < 7)",
    "converted_30": "count(*) FILTER (WHERE f.converted_after < 30)",
    "converted_90": "count(*) FILTER (WHERE f.converted_after < 90)",
    "facts": "count(*)",
}
_TOLD = "f.day, f.currency, f.kind, f.stage, f.amount_minor, f.paid, f.first_order, f.paid_origin, f.converted_after"
# Of their types, for what is no fact.
_NOTHING = ", ".join("NULL" for _ in _TOLD.split(","))
_NAMES = ", ".join(_COUNTED)
_SUMS = ", ".join(f"isum({name}) AS {name}" for name in _COUNTED)
_ZERO = " AND ".join(f"isum({name}) = 0" for name in _COUNTED)
_SAME = " AND ".join(f"e.{name} IS NOT DISTINCT FROM s.{name}" for name in _COUNTED)

# Of the events that begin at an instant or before, the one with the highest version is in effect. Facts and events are
# put in the order of time together: compared with every period of its account, a fact of one that moved a thousand times
# would be compared a thousand times.
_EXPECTED = f"""
told AS (
    SELECT account_id, occurred_at, {_TOLD} FROM facts f
    WHERE NOT f.voided AND f.day >= :first_day AND f.day < :end_day
), placed AS (
    SELECT *, max(version) OVER (
        PARTITION BY account_id ORDER BY occurred_at, is_fact ROWS UNBOUNDED PRECEDING) AS ruling
    FROM (
        SELECT account_id, occurred_at, true AS is_fact, CAST(NULL AS bigint) AS version, {_TOLD} FROM told f
        UNION ALL
        SELECT account_id, valid_from, false, version, {_NOTHING} FROM alignment_events
    ) mixed
), latest AS (
    SELECT DISTINCT ON (account_id) account_id, territory_id FROM alignment_events
    ORDER BY account_id, version DESC
), grown AS (
    SELECT tree_id, effective_at AS valid_from,
           lead(effective_at, 1, 'infinity') OVER (ORDER BY effective_at) AS valid_to
    FROM (
        SELECT *, max(sequence) OVER (ORDER BY effective_at) AS ruling FROM activations
    ) a WHERE sequence = ruling
), credited AS (
    SELECT 1 AS view, e.territory_id, g.tree_id, {_TOLD}
    FROM placed f
    LEFT JOIN alignment_events e ON e.account_id = f.account_id AND e.version = f.ruling
    LEFT JOIN grown g ON g.valid_from <= f.occurred_at AND f.occurred_at < g.valid_to
    WHERE f.is_fact
    UNION ALL
    SELECT 2, l.territory_id, (SELECT tree_id FROM activations ORDER BY sequence DESC LIMIT 1), {_TOLD}
    FROM told f LEFT JOIN latest l USING (account_id)
), own AS (
    SELECT f.view, coalesce(f.territory_id, '{UNASSIGNED}') AS territory_id, f.tree_id, f.day, f.currency,
           {", ".join(f"{sql} AS {name}" for name, sql in _COUNTED.items())}
    FROM credited f GROUP BY 1, 2, 3, 4, 5
), expected AS (
    SELECT view, above AS territory_id, day, currency, {_SUMS}
    FROM (
        SELECT o.view, o.territory_id AS above, o.day, o.currency, {_NAMES} FROM own o
        UNION ALL
        SELECT o.view, '{ORGANISATION}', o.day, o.currency, {_NAMES} FROM own o
        UNION ALL
        SELECT o.view, c.ancestor_id, o.day, o.currency, {_NAMES}
        FROM own o JOIN tree_closure c
            ON c.tree_id = o.tree_id AND c.territory_id = o.territory_id AND c.depth > 0
    ) spread
    GROUP BY view, above, day, currency
)
"""
RECOUNT = text(f"""
WITH {_EXPECTED}, stored AS (
    SELECT view, territory_id, day, currency, {_SUMS}
    FROM rollup_days WHERE day >= :first_day AND day < :end_day
    GROUP BY view, territory_id, day, currency HAVING NOT ({_ZERO})
), differing AS (
    SELECT view, territory_id, day, currency,
           to_jsonb(e) - '{{view,territory_id,day,currency}}'::text[] AS expected,
           to_jsonb(s) - '{{view,territory_id,day,currency}}'::text[] AS stored
    FROM expected e FULL JOIN stored s USING (view, territory_id, day, currency)
    WHERE NOT ({_SAME})
)
SELECT (SELECT count(*) FROM expected) AS cells,
       (SELECT coalesce(isum(facts), 0) FROM own WHERE view = 1) AS facts,
       (SELECT count(*) FROM differing) AS differing,
       (SELECT coalesce(jsonb_agg(to_jsonb(d)), '[]') FROM (
            SELECT * FROM differing ORDER BY view, territory_id, day, currency LIMIT {MAX_DIFFERENCES}
       ) d) AS differences
""")
