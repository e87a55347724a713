"""Keeps of metrics the measures of accounts: trailing revenue and open pipeline, which diffs sum up."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from shared.contracts.metrics import ACCOUNT_STATE, AccountState
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.projection import Projection
from shared.messaging.received import Received, Tombstone
from shared.messaging.subscription import Subscription

_FORGET = text("DELETE FROM account_measures WHERE account_id = ANY (CAST(:account_ids AS uuid[]))")
_KEEP = text("""
INSERT INTO account_measures (account_id, currency, trailing_revenue, open_pipeline, as_of)
SELECT i.account_id, i.currency, i.trailing_revenue, i.open_pipeline, i.as_of
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:currencies AS text[]), CAST(:revenues AS numeric[]),
            CAST(:pipelines AS numeric[]), CAST(:instants AS timestamptz[]))
    AS i (account_id, currency, trailing_revenue, open_pipeline, as_of)
ORDER BY i.account_id, i.currency
""")


async def keep_measures(batch: Sequence[Received[AccountState]], uow: UnitOfWork) -> None:
    """Replace the measures of the accounts in the batch; a state is whole, so what it leaves out is gone."""
    account_ids = sorted(item.event.account_id for item in batch)
    await uow.connection.execute(_FORGET, {"account_ids": account_ids})
    measures: list[tuple[Any, ...]] = [
        (state.account_id, one.currency, one.trailing_revenue, one.open_pipeline, state.as_of)
        for state in (item.event for item in batch)
        for one in state.figures
    ]
    if measures:
        names = ("account_ids", "currencies", "revenues", "pipelines", "instants")
        columns = map(list, zip(*measures, strict=True))
        await uow.connection.execute(_KEEP, dict(zip(names, columns, strict=True)))


async def forget_measures(tombstones: Sequence[Tombstone], uow: UnitOfWork) -> None:
    """Drop the measures of accounts that metrics no longer knows."""
    await uow.connection.execute(_FORGET, {"account_ids": sorted(stone.key for stone in tombstones)})


ACCOUNT_MEASURES = Subscription(
    topic=ACCOUNT_STATE,
    handlers={AccountState: keep_measures},
    on_tombstones=forget_measures,
    keeps=Projection(("account_measures",)),
)
