"""Own rows as it was: what was credited to territories while they lay below those asked for.

Rows of a territory with what lies below it were spread by the tree in force at each fact's instant. Told by rep, the
same is made of own rows, and these have to be taken by the same tree, not by today's: else a territory that changed
its parent is missing here or doubled there.
"""

from services.metrics.attribution.credit import TERRITORY_AT, TREE_AT
from services.metrics.rollups.figure import NAMES, figures_of
from services.metrics.rollups.view import RollupView

_BELOW = """EXISTS (
    SELECT FROM tree_closure AS c
    WHERE c.tree_id = {tree} AND c.territory_id = {territory}
      AND c.ancestor_id = ANY(CAST(:territories AS uuid[])) AND c.depth BETWEEN 1 AND :depth
)"""

# Roll-ups know days, trees change at instants: on a day with two trees the facts are credited one by one. What was
# credited to the territories asked for themselves needs no tree.
OWN_ROWS = f"""
tree_days AS (
    SELECT tree_id,
           CAST((valid_from AT TIME ZONE 'UTC') + interval '1 day' - interval '1 microsecond' AS date) AS first_day,
           CAST(valid_to AT TIME ZONE 'UTC' AS date) AS end_day
    FROM tree_periods
), split_days AS (
    SELECT CAST(valid_from AT TIME ZONE 'UTC' AS date) AS day FROM tree_periods
    WHERE valid_from AT TIME ZONE 'UTC' <> date_trunc('day', valid_from AT TIME ZONE 'UTC')
), credited AS (
    SELECT {TERRITORY_AT.format(fact="f")} AS territory_id, {TREE_AT.format(fact="f")} AS tree_id, f.*
    FROM facts AS f
    WHERE f.day = ANY(ARRAY(SELECT day FROM split_days)) AND f.day >= :first_day AND f.day < :end_day
      AND NOT f.voided
), own_rows AS (
    SELECT view, territory_id, day, currency, below, {NAMES} FROM rollup_days AS r
    WHERE view = {RollupView.AS_WAS:d} AND NOT below AND day >= :first_day AND day < :end_day
      AND (territory_id = ANY(CAST(:territories AS uuid[])) OR EXISTS (
          SELECT FROM tree_days AS d
          WHERE r.day >= d.first_day AND r.day < d.end_day
            AND {_BELOW.format(tree="d.tree_id", territory="r.territory_id")}
      ))
    UNION ALL
    SELECT CAST({RollupView.AS_WAS:d} AS smallint), territory_id, day, currency, false,
           {figures_of("f", sign="1")}
    FROM credited AS f
    WHERE territory_id <> ALL(CAST(:territories AS uuid[]))
      AND {_BELOW.format(tree="f.tree_id", territory="f.territory_id")}
)
"""
