"""The one way to change roll-ups: signed deltas, spread over the territories above, added in one order.

Statements build on it: they define a CTE `deltas (view, territory_id, tree_id, day, currency, <figures>)`,
go on with ROLL_UP and bind `:slot`.
"""

from services.metrics.rollups.figure import ANY_CHANGE, FIGURES, NAMES, SUMS
from shared.contracts.identity import ORGANISATION

SLOTS = 4
"""Copies of every cell. Two batches that run at once and add to different slots never wait for each other
at the cells of the big territories; readers sum the slots."""

_ADDED = ", ".join(f"{name} = r.{name} + excluded.{name}" for name in FIGURES)

# Leaf cells first: they are few against the facts, and only they are spread. A territory that its tree does
# not name (or whose tree is not known yet) counts for itself and the organisation. What cancels out, such as
# the common ancestors of two territories, is not written at all. Sorted, so that writers never deadlock.
ROLL_UP = f"""
cells AS (
    SELECT view, territory_id, tree_id, day, currency, {SUMS}
    FROM deltas GROUP BY view, territory_id, tree_id, day, currency
), spread AS (
    SELECT c.view, c.territory_id AS own_id, c.day, c.currency,
           unnest(coalesce(l.line, ARRAY[c.territory_id, CAST('{ORGANISATION}' AS uuid)])) AS territory_id,
           {", ".join(f"c.{name}" for name in FIGURES)}
    FROM cells c LEFT JOIN tree_lines l ON l.tree_id = c.tree_id AND l.territory_id = c.territory_id
), rolled AS (
    INSERT INTO rollup_days AS r (view, territory_id, day, currency, slot, below, {NAMES})
    SELECT view, territory_id, day, currency, CAST(:slot AS smallint), territory_id <> own_id, {SUMS}
    FROM spread
    GROUP BY view, territory_id, day, currency, territory_id <> own_id
    HAVING {ANY_CHANGE}
    ORDER BY view, territory_id, day, currency, territory_id <> own_id
    ON CONFLICT (view, territory_id, day, currency, slot, below) DO UPDATE SET {_ADDED}
)
"""


def slot_of(partition: int) -> int:
    """Return the slot that batches of a partition add to."""
    return partition % SLOTS
