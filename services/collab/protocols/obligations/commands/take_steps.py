"""Takes the steps whose time has come: claimed, told and recorded in one transaction, by whichever worker is first.

A worker that dies before its commit has taken no step, and the next one takes it. Claims lock the obligation
too, so that nobody closes it between a step's claim and its record.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.collab.projections.coverages import Told, find_reps, find_reps_above
from services.collab.projections.territories import TREE_AWAITED
from services.collab.protocols.obligations.obligation import Obligation, ObligationState, Untold
from services.collab.protocols.protocol import Action, Duty, Timer
from shared.contracts.envelope import EventContract
from shared.contracts.policies import ObligationBreached, ObligationEscalated, ObligationReminded
from shared.db.unit_of_work import UnitOfWork

# Who is above is not known while the tree of the live plan is on its way: steps wait for it.
_CLAIM = text(f"""
SELECT t.loop, t.step, t.action, t.due_at AS step_at, o.obligation_id, o.protocol_id, o.protocol_version,
    o.state, o.duty, o.territory_id, o.rep_id, o.due_at, v.role
FROM timers AS t JOIN obligations AS o USING (obligation_id)
JOIN protocol_versions AS v ON v.protocol_id = o.protocol_id AND v.version = o.protocol_version
WHERE t.fired_at IS NULL AND t.cancelled_at IS NULL AND t.due_at <= :now AND o.state <> 'closed'
    AND NOT {TREE_AWAITED}
ORDER BY t.due_at, t.obligation_id, t.step, t.loop LIMIT :limit FOR UPDATE OF t, o SKIP LOCKED
""")
_RECORD = text("""
UPDATE timers AS t SET fired_at = :now, told_territory_id = taken.territory_id, told_rep_id = taken.rep_id,
    untold_because = taken.untold_because
FROM unnest(
    CAST(:obligations AS uuid[]), CAST(:loops AS smallint[]), CAST(:steps AS smallint[]),
    CAST(:territories AS uuid[]), CAST(:reps AS uuid[]), CAST(:untold AS text[])
) AS taken (obligation_id, loop, step, territory_id, rep_id, untold_because)
WHERE t.obligation_id = taken.obligation_id AND t.loop = taken.loop AND t.step = taken.step
""")
_BREACH = text("""
UPDATE obligations SET state = 'breached', breached_at = :now
WHERE obligation_id = ANY (CAST(:obligations AS uuid[]))
""")


@dataclass(frozen=True, slots=True)
class TakeSteps:
    """Take up to `limit` steps."""

    limit: int = 500


@dataclass(frozen=True, slots=True)
class _Taken:
    row: Row[Any]
    timer: Timer
    told: Told

    @property
    def untold_because(self) -> Untold | None:
        """Why nobody was told, where somebody was to be."""
        escalates = self.timer.action is Action.ESCALATE
        return Untold.NOBODY_ABOVE if escalates and self.told.rep_id is None else None


async def take_steps(command: TakeSteps, uow: UnitOfWork) -> int:
    """Take the steps that are due; return how many."""
    rows = (await uow.connection.execute(_CLAIM, {"now": uow.now, "limit": command.limit})).all()
    if not rows:
        return 0
    by_obligation: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        by_obligation[row.obligation_id].append(row)
    told = await _whom_to_tell(rows, uow)
    taken: list[_Taken] = []
    breached: list[UUID] = []
    # In the order of ids: the outbox locks an obligation's event count, and two workers must not do it crosswise.
    for obligation_id, claimed in sorted(by_obligation.items()):
        before = Obligation(ObligationState(claimed[0].state), tuple(map(_timer, claimed)))
        after, timers = before.advance(uow.now)
        taken += [_Taken(claimed[0], timer, told[obligation_id, timer.action]) for timer in timers]
        if after.state is not before.state:
            breached.append(obligation_id)
    await _record(taken, breached, uow)
    uow.outbox.add_all(_event(one, uow) for one in taken)
    return len(rows)


async def _whom_to_tell(rows: Sequence[Row[Any]], uow: UnitOfWork) -> dict[tuple[UUID, Action], Told]:
    """Return who is told: reminders go to whoever owes it now, escalations above the territory.

    What a rep acknowledges stays their own, whoever covers the territory.
    """
    told: dict[tuple[UUID, Action], Told] = {}
    for role in {row.role for row in rows}:
        mine = [row for row in rows if row.role == role]
        places = {row.territory_id for row in mine if row.territory_id is not None}
        reps = await find_reps(uow.connection, {(place, uow.now) for place in places}, role=role)
        above = await find_reps_above(uow.connection, places, at=uow.now, role=role)
        for row in mine:
            place = row.territory_id
            rep = None if place is None else reps[place, uow.now]
            if row.duty == Duty.ACKNOWLEDGE:
                rep = row.rep_id
            told[row.obligation_id, Action.REMIND] = Told(place, rep)
            told[row.obligation_id, Action.ESCALATE] = above.get(place, Told(None, None))
            told[row.obligation_id, Action.BREACH] = Told(None, None)
    return told


async def _record(taken: Sequence[_Taken], breached: Sequence[UUID], uow: UnitOfWork) -> None:
    await uow.connection.execute(
        _RECORD,
        {
            "now": uow.now,
            "obligations": [one.row.obligation_id for one in taken],
            "loops": [one.timer.loop for one in taken],
            "steps": [one.timer.step for one in taken],
            "territories": [one.told.territory_id for one in taken],
            "reps": [one.told.rep_id for one in taken],
            "untold": [one.untold_because for one in taken],
        },
    )
    if breached:
        await uow.connection.execute(_BREACH, {"obligations": breached, "now": uow.now})


def _timer(row: Row[Any]) -> Timer:
    return Timer(row.loop, row.step, Action(row.action), row.step_at)


def _event(taken: _Taken, uow: UnitOfWork) -> EventContract:
    names = ("obligation_id", "protocol_id", "protocol_version", "due_at")
    common = {name: getattr(taken.row, name) for name in names}
    common |= {"step": taken.timer.step, "loop": taken.timer.loop}
    if taken.timer.action is Action.REMIND:
        return ObligationReminded(**common, rep_id=taken.told.rep_id, reminded_at=uow.now)
    if taken.timer.action is Action.ESCALATE:
        told, untold = taken.told, taken.untold_because
        return ObligationEscalated(
            **common,
            territory_id=told.territory_id,
            rep_id=told.rep_id,
            untold_because=None if untold is None else untold.value,
            escalated_at=uow.now,
        )
    return ObligationBreached(**common, breached_at=uow.now)
