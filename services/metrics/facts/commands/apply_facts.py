"""Count facts: the newest revision of each, whatever order they come in, however often.

One statement per few thousand facts: it stores what ranks above what is there, learns from RETURNING old
and new what that changed, and adds the difference to the roll-ups.
"""

from collections.abc import Sequence

from sqlalchemy import text

from services.metrics.attribution.credit import deltas_of, hold_attribution
from services.metrics.facts.conflicts.commands import keep_conflicts
from services.metrics.facts.conflicts.queries import find_contradictions
from services.metrics.facts.fact_row import FACT_ROWS, TOLD, FactRow, columns_of, reduce_to_newest, row_of
from services.metrics.rollups.figure import COUNTED_COLUMNS
from services.metrics.rollups.roll_up import ROLL_UP, slot_of
from shared.contracts.sales import FactsRecorded
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

# Larger statements gain little and keep other writers of the same slot waiting.
_FACTS_PER_STATEMENT = 5_000

_STORED = [*TOLD.split(", "), "day", "recorded_at"]
_NAMES = ", ".join(_STORED)
_REPLACED = ", ".join(
    f"{name} = excluded.{name}"
    for name in _STORED
    if name not in {"entity_key", "source", "kind", "external_id"}
)
_ALL = [*_STORED, *(name for name in COUNTED_COLUMNS if name not in _STORED)]


def _prefixed(prefix: str, names: Sequence[str]) -> str:
    return ", ".join(f"{prefix}{name}" for name in names)


_APPLY = text(f"""
WITH changed AS (
    INSERT INTO facts AS f ({_NAMES})
    SELECT {TOLD}, day, :now FROM ({FACT_ROWS}) AS told
    ON CONFLICT (entity_key) DO UPDATE SET {_REPLACED} WHERE f.revision < excluded.revision
        OR f.revision = excluded.revision AND f.payload_hash > excluded.payload_hash
    RETURNING {_prefixed("new.", _ALL)}, {", ".join(f"old.{name} AS old_{name}" for name in _ALL)}
), replaced AS (
    INSERT INTO fact_history ({_NAMES}, replaced_at)
    SELECT {_prefixed("old_", _STORED)}, :now FROM changed WHERE old_revision < revision
), outranked AS (
    INSERT INTO fact_conflicts ({_NAMES})
    SELECT {_prefixed("old_", _STORED)} FROM changed WHERE old_revision = revision
    ON CONFLICT DO NOTHING
), signed AS (
    SELECT 1 AS sign, {", ".join(COUNTED_COLUMNS)} FROM changed WHERE NOT voided
    UNION ALL
    SELECT -1, {_prefixed("old_", COUNTED_COLUMNS)} FROM changed WHERE old_entity_key IS NOT NULL AND NOT old_voided
), stale AS (
    INSERT INTO stale_accounts (account_id)
    SELECT DISTINCT account_id FROM signed WHERE account_id IS NOT NULL
), untraced AS (
    INSERT INTO untraced_accounts (account_id)
    SELECT DISTINCT account_id FROM signed WHERE account_id IS NOT NULL AND kind IN ('lead', 'order', 'deal')
), deltas AS ({deltas_of("signed")}), {ROLL_UP}
SELECT count(*) FROM changed
""")


async def apply_facts(batch: Sequence[Received[FactsRecorded]], uow: UnitOfWork) -> None:
    """Store and count the facts of a batch of one partition, and keep aside what contradicts them."""
    rows = [row_of(fact) for received in batch for fact in received.event.facts]
    await hold_attribution(uow, {row.account_id for row in rows})
    for start in range(0, len(rows), _FACTS_PER_STATEMENT):
        await _apply(rows[start : start + _FACTS_PER_STATEMENT], uow, slot=slot_of(batch[0].partition))


async def _apply(rows: Sequence[FactRow], uow: UnitOfWork, *, slot: int) -> None:
    reduced = reduce_to_newest(rows)
    parameters = {**columns_of(reduced.newest), "slot": slot, "now": uow.now}
    changed = (await uow.connection.execute(_APPLY, parameters)).scalar_one()
    # Only a row that was not taken can contradict what is stored.
    not_taken = [] if changed == len(reduced.newest) else reduced.newest
    if suspects := [*not_taken, *reduced.contradicted]:
        await keep_conflicts(await find_contradictions(uow.connection, suspects), uow)
