"""Own rows as it was: what was credited to territories while they lay below those asked for.

Rows of a territory with what lies below it were spread by the tree in force at each fact's instant. Told by rep, the
same is made of own rows, and these have to be taken by the same tree, not by today's: else a territory that changed
its parent is missing here or doubled there.
"""

from services.metrics.attribution.credit import TERRITORY_AT, TREE_AT
from services.metrics.rollups.figure import NAMES, figures_of
from services.metrics.rollups.view import RollupView

# Roll-ups know days, trees change at instants: on a day with two trees the facts are credited one by one. What was
# credited to the territories asked for themselves needs no tree. The days of each territory are worked out first, so
# that rows are found by the index of territory and day.
OWN_ROWS = f"""
tree_days AS (
    SELECT tree_id,
           CAST((valid_from AT TIME ZONE 'UTC') + interval '1 day' - interval '1 microsecond' AS date) AS first_day,
           CAST(valid_to AT TIME ZONE 'UTC' AS date) AS end_day
    FROM tree_periods
), lies_below AS MATERIALIZED (
    SELECT DISTINCT tree_id, territory_id FROM tree_closure
    WHERE ancestor_id = ANY(CAST(:territories AS uuid[])) AND depth BETWEEN 1 AND :depth
      AND territory_id <> ALL(CAST(:territories AS uuid[]))
      AND tree_id IN (SELECT tree_id FROM tree_periods)
), counted AS MATERIALIZED (
    SELECT b.territory_id, greatest(d.first_day, CAST(:first_day AS date)) AS first_day,
           least(d.end_day, CAST(:end_day AS date)) AS end_day
    FROM lies_below AS b JOIN tree_days AS d USING (tree_id)
    UNION ALL
    SELECT territory_id, CAST(:first_day AS date), CAST(:end_day AS date)
    FROM unnest(CAST(:territories AS uuid[])) AS asked (territory_id)
), split_days AS (
    SELECT CAST(valid_from AT TIME ZONE 'UTC' AS date) AS day FROM tree_periods
    WHERE valid_from AT TIME ZONE 'UTC' <> date_trunc('day', valid_from AT TIME ZONE 'UTC')
), credited AS (
    SELECT {TERRITORY_AT.format(fact="f")} AS territory_id, {TREE_AT.format(fact="f")} AS tree_id, f.*
    FROM facts AS f
    WHERE f.day = ANY(ARRAY(SELECT day FROM split_days)) AND f.day >= :first_day AND f.day < :end_day
      AND NOT f.voided
), own_rows AS (
    SELECT r.view, r.territory_id, r.day, r.currency, r.below, {NAMES}
    FROM counted AS c JOIN rollup_days AS r
      ON r.view = {RollupView.AS_WAS:d} AND r.territory_id = c.territory_id AND NOT r.below
     AND r.day >= c.first_day AND r.day < c.end_day
    UNION ALL
    SELECT CAST({RollupView.AS_WAS:d} AS smallint), territory_id, day, currency, false, {figures_of("f", sign="1")}
    FROM credited AS f JOIN lies_below USING (tree_id, territory_id)
)
"""
