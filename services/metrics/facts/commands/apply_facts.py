"""Count facts: the newest revision of each, whatever order they come in, however often.

One statement per few thousand facts: it stores what is newer than what is there, learns from RETURNING old
and new what that changed, and adds the difference to the roll-ups.
"""

from collections.abc import Sequence

from sqlalchemy import text

from services.metrics.attribution.credit import deltas_of, hold_attribution
from services.metrics.facts.commands.keep_conflicts import find_contradictions, keep_conflicts
from services.metrics.facts.fact_row import FactRow, columns_of, reduce_to_newest, row_of
from services.metrics.rollups.roll_up import ROLL_UP, slot_of
from shared.contracts.sales import FactsRecorded
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

# Larger statements gain little and keep other writers of the same slot waiting.
FACTS_PER_STATEMENT = 5_000

_STORED = (
    "entity_key, revision, source, kind, external_id, stage, account_id, occurred_at, day, amount_minor, "
    "currency, voided, payload_hash, recorded_at"
)
_UPDATED = ", ".join(
    f"{name} = excluded.{name}"
    for name in _STORED.split(", ")
    if name not in {"entity_key", "source", "kind", "external_id"}
)
_OLD = ", ".join(f"old.{name} AS old_{name}" for name in _STORED.split(", "))
_SIGNED = "account_id, occurred_at, day, kind, stage, amount_minor, currency"

_APPLY = text(f"""
WITH incoming AS (
    SELECT * FROM unnest(
        CAST(:entity_key AS uuid[]), CAST(:revision AS int[]), CAST(:source AS text[]), CAST(:kind AS text[]),
        CAST(:external_id AS text[]), CAST(:stage AS text[]), CAST(:account_id AS uuid[]),
        CAST(:occurred_at AS timestamptz[]), CAST(:amount_minor AS bigint[]), CAST(:currency AS text[]),
        CAST(:voided AS boolean[]), CAST(:payload_hash AS uuid[])
    ) AS i (entity_key, revision, source, kind, external_id, stage, account_id, occurred_at, amount_minor,
            currency, voided, payload_hash)
), changed AS (
    INSERT INTO facts AS f ({_STORED})
    SELECT entity_key, revision, source, kind, external_id, stage, account_id, occurred_at,
           CAST(occurred_at AT TIME ZONE 'UTC' AS date), amount_minor, currency, voided, payload_hash, :now
    FROM incoming
    ON CONFLICT (entity_key) DO UPDATE SET {_UPDATED} WHERE f.revision < excluded.revision
    RETURNING {_OLD}, {", ".join(f"new.{name}" for name in _STORED.split(", "))}
), replaced AS (
    INSERT INTO fact_history ({_STORED}, replaced_at)
    SELECT {", ".join(f"old_{name}" for name in _STORED.split(", "))}, :now
    FROM changed WHERE old_entity_key IS NOT NULL
), signed AS (
    SELECT 1 AS sign, {_SIGNED} FROM changed WHERE NOT voided
    UNION ALL
    SELECT -1, {", ".join(f"old_{name}" for name in _SIGNED.split(", "))}
    FROM changed WHERE old_entity_key IS NOT NULL AND NOT old_voided
), stale AS (
    INSERT INTO stale_accounts (account_id)
    SELECT DISTINCT account_id FROM signed WHERE account_id IS NOT NULL
), deltas AS ({deltas_of("signed")}), {ROLL_UP}
SELECT count(*) FROM changed
""")


async def apply_facts(batch: Sequence[Received[FactsRecorded]], uow: UnitOfWork) -> None:
    """Store and count the facts of a batch of one partition."""
    rows = [row_of(fact) for received in batch for fact in received.event.facts]
    await hold_attribution(uow)
    for start in range(0, len(rows), FACTS_PER_STATEMENT):
        await apply_rows(rows[start : start + FACTS_PER_STATEMENT], uow, slot=slot_of(batch[0].partition))


async def apply_rows(rows: Sequence[FactRow], uow: UnitOfWork, *, slot: int) -> int:
    """Store and count rows, and keep aside what contradicts them; return how many changed something."""
    reduced = reduce_to_newest(rows)
    parameters = {**columns_of(reduced.newest), "slot": slot, "now": uow.now}
    changed: int = (await uow.connection.execute(_APPLY, parameters)).scalar_one()
    # Only a row that was not taken can contradict what is stored.
    suspects = (
        reduced.contradicted if changed == len(reduced.newest) else [*reduced.newest, *reduced.contradicted]
    )
    if suspects:
        await keep_conflicts(await find_contradictions(suspects, uow.connection), uow)
    return changed
