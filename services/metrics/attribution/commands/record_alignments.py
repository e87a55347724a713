"""Alignments of accounts: add them to the timelines, and move what was counted for the facts they concern.

A timeline is the set of its events, so events may come late or in any order: the statement compares who ruled
each stretch of an account's time before and after, and touches the facts of the stretches that changed hands.
"""

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import text

from services.metrics.attribution.credit import TREE_AT, TREE_NOW, change_timelines
from services.metrics.rollups.figure import SUMS, figures_of, signed_figures
from services.metrics.rollups.roll_up import ROLL_UP, slot_of
from services.metrics.rollups.view import RollupView
from shared.contracts.assignment import AccountAligned
from shared.contracts.identity import UNASSIGNED
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_NOBODY = f"CAST('{UNASSIGNED}' AS uuid)"

# `added` are the events that were not known; the table itself still reads as it was before them.
_TIMELINES = """
incoming AS (
    SELECT DISTINCT ON (i.account_id, i.version) i.* FROM unnest(
        CAST(:account_id AS uuid[]), CAST(:version AS bigint[]), CAST(:territory_id AS uuid[]),
        CAST(:valid_from AS timestamptz[]), CAST(:plan_id AS uuid[]), CAST(:activation_id AS uuid[]),
        CAST(:cause AS text[]), CAST(:rule_id AS uuid[])
    ) AS i (account_id, version, territory_id, valid_from, plan_id, activation_id, cause, rule_id)
), added AS (
    INSERT INTO alignment_events
        (account_id, version, territory_id, valid_from, plan_id, activation_id, cause, rule_id)
    SELECT account_id, version, territory_id, valid_from, plan_id, activation_id, cause, rule_id
    FROM incoming ON CONFLICT DO NOTHING
    RETURNING account_id, version, territory_id, valid_from
), events AS (
    SELECT e.account_id, e.version, e.territory_id, e.valid_from, false AS fresh
    FROM alignment_events e WHERE e.account_id IN (SELECT account_id FROM added)
    UNION ALL
    SELECT account_id, version, territory_id, valid_from, true FROM added
)
"""

# The highest version among the events in effect rules, before and after. Events of one instant are peers of
# the window, so both see the higher one rule.
_MOVES = f"""
stretches AS (
    SELECT DISTINCT account_id, valid_from,
           max(version) FILTER (WHERE NOT fresh) OVER so_far AS old_version,
           max(version) OVER so_far AS new_version,
           min(valid_from) OVER (
               PARTITION BY account_id ORDER BY valid_from
               GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
           ) AS valid_to
    FROM events WINDOW so_far AS (PARTITION BY account_id ORDER BY valid_from)
), lasts AS (
    SELECT account_id, max(version) FILTER (WHERE NOT fresh) AS old_version, max(version) AS new_version
    FROM events GROUP BY account_id
), ruled AS (
    SELECT {RollupView.AS_WAS:d} AS view, account_id, valid_from,
           coalesce(valid_to, 'infinity') AS valid_to, old_version, new_version
    FROM stretches WHERE old_version IS DISTINCT FROM new_version
    UNION ALL
    SELECT {RollupView.AS_IS:d}, account_id, '-infinity', 'infinity', old_version, new_version
    FROM lasts WHERE old_version IS DISTINCT FROM new_version
), moves AS (
    SELECT r.view, r.account_id, r.valid_from, r.valid_to,
           CAST(r.valid_from AT TIME ZONE 'UTC' AS date) AS first_day,
           CAST(r.valid_to AT TIME ZONE 'UTC' AS date) AS last_day,
           coalesce(o.territory_id, {_NOBODY}) AS from_territory,
           coalesce(n.territory_id, {_NOBODY}) AS to_territory
    FROM ruled r
    JOIN events n ON n.account_id = r.account_id AND n.version = r.new_version
    LEFT JOIN events o ON o.account_id = r.account_id AND o.version = r.old_version
    WHERE coalesce(o.territory_id, {_NOBODY}) <> coalesce(n.territory_id, {_NOBODY})
), located AS (
    INSERT INTO accounts AS a (account_id, territory_id, version)
    SELECT l.account_id, coalesce(n.territory_id, {_NOBODY}), l.new_version
    FROM lasts l JOIN events n ON n.account_id = l.account_id AND n.version = l.new_version
    ORDER BY l.account_id
    ON CONFLICT (account_id) DO UPDATE SET territory_id = excluded.territory_id, version = excluded.version
    WHERE a.version < excluded.version
)
"""

# Sums per pair of territories and day first; only they are spread. What both have above them cancels out.
_APPLY = text(f"""
WITH {_TIMELINES}, {_MOVES}, touched AS (
    SELECT m.view, m.from_territory, m.to_territory, f.day, f.currency,
           CASE m.view WHEN {RollupView.AS_WAS:d} THEN {TREE_AT.format(fact="f")} ELSE {TREE_NOW} END AS tree_id,
           {figures_of("f", sign="1")}
    FROM moves m
    JOIN facts f ON f.account_id = m.account_id AND f.day >= m.first_day AND f.day <= m.last_day
        AND f.occurred_at >= m.valid_from AND f.occurred_at < m.valid_to AND NOT f.voided
), summed AS (
    SELECT view, from_territory, to_territory, tree_id, day, currency, {SUMS}
    FROM touched GROUP BY view, from_territory, to_territory, tree_id, day, currency
), deltas AS (
    SELECT s.view, x.territory_id, s.tree_id, s.day, s.currency,
           {signed_figures("s", sign="x.sign")}
    FROM summed s
    CROSS JOIN LATERAL (VALUES (-1, s.from_territory), (1, s.to_territory)) AS x (sign, territory_id)
), {ROLL_UP}
SELECT count(*) FROM moves
""")


async def record_alignments(batch: Sequence[Received[AccountAligned]], uow: UnitOfWork) -> None:
    """Add alignments of one partition to their accounts' timelines and restate both views where they change."""
    events = [received.event for received in batch]
    await change_timelines(uow, {event.account_id for event in events})
    await uow.connection.execute(
        _APPLY,
        {
            "account_id": [event.account_id for event in events],
            "version": [received.version for received in batch],
            "territory_id": [event.to_territory_id for event in events],
            "valid_from": [event.valid_from.astimezone(UTC) for event in events],
            "plan_id": [event.plan_id for event in events],
            "activation_id": [event.activation_id for event in events],
            "cause": [event.cause for event in events],
            "rule_id": [event.rule_id for event in events],
            "slot": slot_of(batch[0].partition),
        },
    )
