"""Which territory a fact counts for, as SQL, and the locks under which that answer holds."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import text

from services.metrics.rollups.figure import figures_of
from services.metrics.rollups.view import RollupView
from shared.contracts.identity import UNASSIGNED
from shared.db.unit_of_work import UnitOfWork
from shared.kafka.partitioning import partition_of

BUCKETS = 64
"""Accounts fall into buckets, each with a lock of its own. A multiple of the partitions of the topic of accounts,
and divided by the same hash: batches of two partitions have no bucket in common."""

_EVERY_BUCKET = tuple(range(BUCKETS))

# A credit stands on its account's timeline and on the trees. Facts share the locks of their accounts' buckets, a
# move has those of its accounts alone, a change of tree has all of them alone. So no fact is credited by a timeline
# that another transaction is about to replace, in either order, and no two changes of an account miss each other.
# Advisory locks queue fairly (share locks on rows let a steady stream of facts starve the change) and write nothing.
# All of a transaction's are taken by one statement, in the order of the buckets, before any row: no deadlocks.
_LOCK = """
SELECT set_config('lock_timeout', '25s', true), set_config('work_mem', '64MB', true),
       (SELECT count({lock}(hashtext('metrics.attribution'), b.bucket))
        FROM unnest(CAST(:buckets AS int[])) AS b (bucket))
"""
# Patience beyond that of a request: a restatement of many accounts takes seconds. Memory, so that a batch is
# summed and sorted without temporary files.
_SHARE = text(_LOCK.format(lock="pg_advisory_xact_lock_shared"))
_ALONE = text(_LOCK.format(lock="pg_advisory_xact_lock"))


async def hold_attribution(uow: UnitOfWork, accounts: Iterable[UUID | None]) -> None:
    """Keep these accounts' timelines and all trees as they are until this transaction ends; once per transaction."""
    await uow.connection.execute(_SHARE, {"buckets": buckets_of(accounts)})


async def change_timelines(uow: UnitOfWork, accounts: Iterable[UUID]) -> None:
    """Be the only one to credit facts of these accounts, or to change how, until this transaction ends; once."""
    await uow.connection.execute(_ALONE, {"buckets": buckets_of(accounts)})


async def change_trees(uow: UnitOfWork) -> None:
    """Be the only one to credit any fact, or to change how facts are credited, until this transaction ends."""
    await uow.connection.execute(_ALONE, {"buckets": _EVERY_BUCKET})


def buckets_of(accounts: Iterable[UUID | None]) -> Sequence[int]:
    """Return the buckets of accounts, ascending. What is of no account depends on the trees alone: any bucket will do."""
    return sorted({0 if account is None else _bucket_of(account) for account in accounts})


# Of facts the same accounts come over and over.
@lru_cache(maxsize=65_536)
def _bucket_of(account: UUID) -> int:
    return partition_of(str(account).encode(), BUCKETS)


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
