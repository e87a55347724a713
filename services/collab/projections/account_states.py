"""The trailing figures of an account, from metrics' account state; read when a brief is asked for."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.metrics import AccountState
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received, Tombstone

_KEEP = text("""
INSERT INTO account_states AS kept (account_id, version, as_of, figures)
SELECT s.account_id, s.version, s.as_of, CAST(s.figures AS jsonb) FROM unnest(
    CAST(:accounts AS uuid[]), CAST(:versions AS bigint[]), CAST(:moments AS timestamptz[]),
    CAST(:figures AS text[])
) AS s (account_id, version, as_of, figures)
ON CONFLICT (account_id) DO UPDATE SET
    version = excluded.version, as_of = excluded.as_of, figures = excluded.figures
WHERE kept.version < excluded.version
""")
_FORGET = text("DELETE FROM account_states WHERE account_id = ANY(CAST(:accounts AS uuid[]))")
_FIND = text("SELECT as_of, figures FROM account_states WHERE account_id = :account")


@dataclass(frozen=True, slots=True)
class Figure:
    """An account's money in one currency, in major units."""

    currency: str
    trailing_revenue: Decimal
    open_pipeline: Decimal


@dataclass(frozen=True, slots=True)
class Figures:
    """An account's figures and the instant they tell of; as_of is None while metrics has told nothing."""

    as_of: datetime | None
    by_currency: tuple[Figure, ...]


async def keep_account_states(received: Sequence[Received[AccountState]], uow: UnitOfWork) -> None:
    """Keep the newest state of each account."""
    await uow.connection.execute(
        _KEEP,
        {
            "accounts": [item.event.account_id for item in received],
            "versions": [item.version for item in received],
            "moments": [item.event.as_of for item in received],
            "figures": [
                json.dumps([figure.model_dump(mode="json") for figure in item.event.figures])
                for item in received
            ],
        },
    )


async def forget_account_states(tombstones: Sequence[Tombstone], uow: UnitOfWork) -> None:
    """Forget accounts that metrics has dropped."""
    await uow.connection.execute(_FORGET, {"accounts": [UUID(item.key) for item in tombstones]})


async def find_figures(read: AsyncConnection, account_id: UUID) -> Figures:
    """Return what metrics last told of an account."""
    row = (await read.execute(_FIND, {"account": account_id})).one_or_none()
    if row is None:
        return Figures(as_of=None, by_currency=())
    return Figures(
        as_of=row.as_of,
        by_currency=tuple(
            Figure(
                currency=entry["currency"],
                trailing_revenue=Decimal(entry["trailing_revenue"]),
                open_pipeline=Decimal(entry["open_pipeline"]),
            )
            for entry in row.figures
        ),
    )
