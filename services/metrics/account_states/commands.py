"""Publish the state of accounts whose facts changed: trailing revenue and open pipeline."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from shared.contracts.metrics import AccountFigures, AccountState
from shared.contracts.money import NO_CURRENCY, from_minor
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.clock import Clock

# The rows of the queue belong to one worker; SKIP LOCKED lets others take the next ones.
_CLAIM = text("""
WITH taken AS (
    DELETE FROM stale_accounts WHERE seq IN (
        SELECT seq FROM stale_accounts ORDER BY seq LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING account_id
), known AS (
    INSERT INTO account_states (account_id) SELECT DISTINCT account_id FROM taken ORDER BY account_id
    ON CONFLICT DO NOTHING
)
SELECT count(*), coalesce(array_agg(DISTINCT account_id), '{}') FROM taken
""")
# Two workers may hold rows of the same account. The second waits here, and reads clock and facts only then:
# the state published last is the newest and says so.
_HOLD = text("""
SELECT 1 FROM account_states WHERE account_id = ANY(CAST(:accounts AS uuid[]))
ORDER BY account_id FOR NO KEY UPDATE
""")
_WORK_OUT = text(f"""
WITH sums AS (
    SELECT f.account_id, f.currency,
           coalesce(isum(f.amount_minor) FILTER (
               WHERE f.kind = 'order' AND f.day > CAST(:today AS date) - interval '1 year' AND f.day <= :today
           ), 0) AS revenue,
           coalesce(isum(f.amount_minor) FILTER (WHERE f.stage = 'open'), 0) AS pipeline
    FROM facts f
    WHERE f.account_id = ANY(CAST(:accounts AS uuid[])) AND NOT f.voided AND f.currency <> '{NO_CURRENCY}'
    GROUP BY f.account_id, f.currency
), states AS (
    SELECT a.account_id, coalesce(
        jsonb_agg(jsonb_build_array(s.currency, s.revenue, s.pipeline) ORDER BY s.currency)
            FILTER (WHERE s.revenue <> 0 OR s.pipeline <> 0),
        '[]'
    ) AS figures
    FROM unnest(CAST(:accounts AS uuid[])) AS a (account_id) LEFT JOIN sums s ON s.account_id = a.account_id
    GROUP BY a.account_id
)
UPDATE account_states a SET figures = s.figures, as_of = greatest(a.as_of, CAST(:now AS timestamptz))
FROM states s WHERE a.account_id = s.account_id AND a.figures <> s.figures
RETURNING a.account_id, a.as_of, CAST(a.figures AS text)
""")
_LAST_SWEEP = text("SELECT swept_on FROM trailing_window FOR UPDATE")
_BEGIN_SWEEPS = text("INSERT INTO trailing_window (swept_on) VALUES (:today) ON CONFLICT DO NOTHING")
_SWEEP = text("""
INSERT INTO stale_accounts (account_id)
SELECT DISTINCT account_id FROM facts
WHERE account_id IS NOT NULL AND kind = 'order' AND (
    (day > :swept_on AND day <= :today)
    OR (day > CAST(:swept_on AS date) - interval '1 year' AND day <= CAST(:today AS date) - interval '1 year')
)
""")
_SWEPT = text("UPDATE trailing_window SET swept_on = :today")


@dataclass(frozen=True, slots=True)
class PublishAccountStates:
    """Take up to `limit` entries of the queue. The clock comes along: waiting for an account takes time."""

    clock: Clock
    limit: int = 2_000


async def publish_account_states(command: PublishAccountStates, uow: UnitOfWork) -> int:
    """Announce the states that changed; return how many entries were taken."""
    taken, accounts = (await uow.connection.execute(_CLAIM, {"limit": command.limit})).one()
    if taken:
        await uow.connection.execute(_HOLD, {"accounts": accounts})
        now = command.clock.now()
        names = {"accounts": accounts, "today": now.date(), "now": now}
        changed = await uow.connection.execute(_WORK_OUT, names)
        uow.outbox.add_all(_state(*row) for row in changed)
    return int(taken)


def _state(account_id: UUID, as_of: datetime, figures: str) -> AccountState:
    return AccountState(
        account_id=account_id,
        as_of=as_of,
        figures=tuple(
            AccountFigures(
                currency=currency,
                trailing_revenue=from_minor(revenue, currency),
                open_pipeline=from_minor(pipeline, currency),
            )
            for currency, revenue, pipeline in json.loads(figures)
        ),
    )


async def sweep_trailing_window(today: date, uow: UnitOfWork) -> None:
    """Queue the accounts whose trailing year gained or lost a day with orders since the last sweep."""
    await uow.connection.execute(_BEGIN_SWEEPS, {"today": today})
    swept_on = (await uow.connection.execute(_LAST_SWEEP)).scalar_one()
    if swept_on < today:
        await uow.connection.execute(_SWEEP, {"swept_on": swept_on, "today": today})
        await uow.connection.execute(_SWEPT, {"today": today})
