"""Activations of plans: which tree was in force when, and which is now."""

from collections.abc import Sequence
from datetime import UTC

from sqlalchemy import text

from services.metrics.attribution.commands.restate_tree import restate_live_tree, restate_tree_in_force
from services.metrics.attribution.credit import change_trees
from services.metrics.attribution.tree_periods import TreeActivation, TreePeriod, periods_of, shifts_between
from shared.contracts.assignment import PlanActivated
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_ADD = text("""
INSERT INTO activations (sequence, activation_id, plan_id, tree_id, kind, effective_at)
SELECT * FROM unnest(
    CAST(:sequence AS bigint[]), CAST(:activation_id AS uuid[]), CAST(:plan_id AS uuid[]),
    CAST(:tree_id AS uuid[]), CAST(:kind AS text[]), CAST(:effective_at AS timestamptz[])
) ON CONFLICT DO NOTHING
""")
_ALL = text("SELECT sequence, tree_id, effective_at FROM activations")
_PERIODS = text("SELECT valid_from, valid_to, tree_id FROM tree_periods")
_FORGET = text("DELETE FROM tree_periods")
_REMEMBER = text("""
INSERT INTO tree_periods (valid_from, valid_to, tree_id)
SELECT * FROM unnest(
    CAST(:valid_from AS timestamptz[]), CAST(:valid_to AS timestamptz[]), CAST(:tree_id AS uuid[])
)
""")
_MAKE_LIVE = text("""
UPDATE live_plan l SET plan_id = a.plan_id, tree_id = a.tree_id, sequence = a.sequence
FROM (SELECT plan_id, tree_id, sequence FROM activations ORDER BY sequence DESC LIMIT 1) a
WHERE l.sequence < a.sequence
RETURNING old.tree_id, new.tree_id
""")


async def record_activations(batch: Sequence[Received[PlanActivated]], uow: UnitOfWork) -> None:
    """Add activations and restate both views where another tree is in force than thought."""
    await change_trees(uow)
    await _add([received.event for received in batch], uow)
    before = [TreePeriod(*row) for row in await uow.connection.execute(_PERIODS)]
    after = periods_of([TreeActivation(*row) for row in await uow.connection.execute(_ALL)])
    if shifts := shifts_between(before, after):
        await restate_tree_in_force(shifts, uow)
        await _keep(after, uow)
    made_live = (await uow.connection.execute(_MAKE_LIVE)).one_or_none()
    if made_live is not None and made_live[0] != made_live[1]:
        await restate_live_tree(made_live[0], made_live[1], uow)


async def _add(events: Sequence[PlanActivated], uow: UnitOfWork) -> None:
    await uow.connection.execute(
        _ADD,
        {
            "sequence": [event.sequence for event in events],
            "activation_id": [event.activation_id for event in events],
            "plan_id": [event.plan_id for event in events],
            "tree_id": [event.tree_id for event in events],
            "kind": [event.kind for event in events],
            "effective_at": [event.effective_at.astimezone(UTC) for event in events],
        },
    )


async def _keep(periods: Sequence[TreePeriod], uow: UnitOfWork) -> None:
    await uow.connection.execute(_FORGET)
    await uow.connection.execute(
        _REMEMBER,
        {
            "valid_from": [period.valid_from for period in periods],
            "valid_to": [period.valid_to for period in periods],
            "tree_id": [period.tree_id for period in periods],
        },
    )
