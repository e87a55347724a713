"""Which territory a fact counts for, as SQL, and the lock under which that answer holds."""

from sqlalchemy import text

from services.metrics.rollups.figure import figures_of
from services.metrics.rollups.view import RollupView
from shared.contracts.identity import UNASSIGNED
from shared.db.unit_of_work import UnitOfWork

# One lock for all timelines and trees: batches of facts share it, a change of attribution has it alone. So
# no fact is credited by a timeline that another transaction is about to replace, in either order. An advisory
# lock queues fairly (share locks on a row let a steady stream of facts starve the change) and writes nothing.
_LOCK = """
SELECT set_config('lock_timeout', '25s', true), set_config('work_mem', '64MB', true),
       {lock}(hashtextextended('metrics.attribution', 0))
"""
# Patience beyond that of a request: a restatement of many accounts takes seconds. Memory, so that a batch is
# summed and sorted without temporary files.
_SHARE = text(_LOCK.format(lock="pg_advisory_xact_lock_shared"))
_CHANGE = text(_LOCK.format(lock="pg_advisory_xact_lock"))


async def hold_attribution(uow: UnitOfWork) -> None:
    """Keep timelines and trees as they are until this transaction ends."""
    await uow.connection.execute(_SHARE)


async def change_attribution(uow: UnitOfWork) -> None:
    """Be the only one to credit facts or to change how they are credited, until this transaction ends."""
    await uow.connection.execute(_CHANGE)


# The credit of rows that have account_id and occurred_at.
TERRITORY_AT = f"""coalesce((
    SELECT e.territory_id FROM alignment_events e
    WHERE e.account_id = {{fact}}.account_id AND e.valid_from <= {{fact}}.occurred_at
    ORDER BY e.version DESC LIMIT 1
), CAST('{UNASSIGNED}' AS uuid))"""
TERRITORY_NOW = f"""coalesce((
    SELECT a.territory_id FROM accounts a WHERE a.account_id = {{fact}}.account_id
), CAST('{UNASSIGNED}' AS uuid))"""
TREE_AT = """(
    SELECT p.tree_id FROM tree_periods p
    WHERE p.valid_from <= {fact}.occurred_at AND {fact}.occurred_at < p.valid_to
)"""
TREE_NOW = "(SELECT tree_id FROM live_plan)"


def deltas_of(signed: str) -> str:
    """Return the query that credits signed facts (rows with a `sign`) in both views, as deltas to roll up."""
    figures = figures_of("s", sign="s.sign")
    return f"""
    SELECT {RollupView.AS_WAS:d} AS view, {TERRITORY_AT.format(fact="s")} AS territory_id,
           {TREE_AT.format(fact="s")} AS tree_id, s.day, s.currency, {figures}
    FROM {signed} s
    UNION ALL
    SELECT {RollupView.AS_IS:d}, {TERRITORY_NOW.format(fact="s")}, {TREE_NOW}, s.day, s.currency, {figures}
    FROM {signed} s
    """
