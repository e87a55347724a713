"""Opens and supersedes handoffs as accounts move: set-based, one call for a whole batch of events."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.commands.lock_handoff import handoff_of
from services.collab.handoffs.handoff import UNFINISHED
from services.collab.handoffs.move import Consequences, Move, Opened, Unfinished, follow_moves
from services.collab.projections.alignments import keep_alignments
from services.collab.projections.coverages import find_reps
from services.collab.protocols.obligations.commands.close_obligations import (
    close_obligations,
    hand_answers_on,
)
from services.collab.protocols.obligations.commands.open_obligations import Subject, open_obligations
from services.collab.protocols.obligations.obligation import Outcome
from services.collab.protocols.protocol import Trigger
from shared.contracts.assignment import AccountAligned
from shared.contracts.collab import HandoffOpened, HandoffSuperseded
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received
from shared.runtime.ids import new_id

_STATES = ", ".join(f"'{state}'" for state in sorted(UNFINISHED))
# Locked in the order of ids, so that this never waits crosswise with another batch. A decision that
# commits while this waits counts: the row is read as it was decided, and one that is done is left alone.
_UNFINISHED = text(f"""
SELECT h.handoff_id, h.account_id, h.from_territory_id, h.template, h.state, h.version,
    ARRAY(SELECT t.item FROM handoff_ticks AS t WHERE t.handoff_id = h.handoff_id) AS done
FROM handoffs AS h
WHERE h.account_id = ANY(CAST(:accounts AS uuid[])) AND h.state IN ({_STATES})
ORDER BY h.handoff_id FOR UPDATE OF h
""")
_SUPERSEDE = text("""
UPDATE handoffs AS h SET state = s.state, version = s.version,
    superseded_at = :now, superseded_by_activation_id = s.activation_id
FROM unnest(
    CAST(:handoffs AS uuid[]), CAST(:states AS text[]), CAST(:versions AS int[]), CAST(:activations AS uuid[])
) AS s (handoff_id, state, version, activation_id)
WHERE h.handoff_id = s.handoff_id
""")
_OPEN = text("""
INSERT INTO handoffs (handoff_id, account_id, from_territory_id, to_territory_id, activation_id,
    effective_at, template, state, opened_at)
SELECT o.*, CAST(:now AS timestamptz) FROM unnest(
    CAST(:handoffs AS uuid[]), CAST(:accounts AS uuid[]), CAST(:sources AS uuid[]),
    CAST(:targets AS uuid[]), CAST(:activations AS uuid[]), CAST(:moments AS timestamptz[]),
    CAST(:templates AS text[]), CAST(:states AS text[])
) AS o
""")


async def hand_over_moved_accounts(received: Sequence[Received[AccountAligned]], uow: UnitOfWork) -> None:
    """Move the accounts, and open or supersede their handoffs in the same transaction."""
    moves = [_move(event) for event in await keep_alignments(received, uow.connection)]
    if not moves:
        return
    await hand_answers_on({move.account_id: move.to_territory_id for move in moves}, uow)
    unfinished = await _lock_unfinished(uow.connection, moves)
    for wave in _waves(moves):
        consequences = follow_moves(wave, unfinished.values(), new_id)
        await _supersede(consequences, uow)
        await _open(consequences.opened, uow)
        _carry(unfinished, consequences)


def _waves(moves: Sequence[Move]) -> list[list[Move]]:
    """Cut moves so that no account is twice in a wave: a handoff is opened before it is superseded."""
    waves: list[list[Move]] = []
    count: dict[UUID, int] = {}
    for move in moves:
        at = count.get(move.account_id, 0)
        count[move.account_id] = at + 1
        if at == len(waves):
            waves.append([])
        waves[at].append(move)
    return waves


def _carry(unfinished: dict[UUID, Unfinished], consequences: Consequences) -> None:
    for item in consequences.superseded:
        del unfinished[item.handoff.handoff_id]
    for opened in consequences.opened:
        unfinished[opened.handoff.handoff_id] = opened


def _move(event: AccountAligned) -> Move:
    return Move(
        account_id=event.account_id,
        from_territory_id=event.from_territory_id,
        to_territory_id=event.to_territory_id,
        activation_id=event.activation_id,
        effective_at=event.valid_from,
    )


async def _lock_unfinished(connection: AsyncConnection, moves: Sequence[Move]) -> dict[UUID, Unfinished]:
    rows = await connection.execute(_UNFINISHED, {"accounts": list({move.account_id for move in moves})})
    return {row.handoff_id: Unfinished(handoff_of(row), row.from_territory_id) for row in rows}


async def _supersede(consequences: Consequences, uow: UnitOfWork) -> None:
    superseded = consequences.superseded
    if not superseded:
        return
    await uow.connection.execute(
        _SUPERSEDE,
        {
            "handoffs": [item.handoff.handoff_id for item in superseded],
            "states": [item.handoff.state for item in superseded],
            "versions": [item.handoff.version for item in superseded],
            "activations": [item.by_activation_id for item in superseded],
            "now": uow.now,
        },
    )
    uow.outbox.add_all(
        HandoffSuperseded(
            handoff_id=item.handoff.handoff_id,
            account_id=item.handoff.account_id,
            by_activation_id=item.by_activation_id,
            superseded_at=uow.now,
        )
        for item in superseded
    )
    await close_obligations([item.handoff.handoff_id for item in superseded], Outcome.WITHDRAWN, uow)


async def _open(opened: Sequence[Opened], uow: UnitOfWork) -> None:
    if not opened:
        return
    await uow.connection.execute(
        _OPEN,
        {
            "handoffs": [item.handoff.handoff_id for item in opened],
            "accounts": [item.handoff.account_id for item in opened],
            "templates": [item.handoff.template for item in opened],
            "states": [item.handoff.state for item in opened],
            "sources": [item.from_territory_id for item in opened],
            "targets": [item.to_territory_id for item in opened],
            "activations": [item.activation_id for item in opened],
            "moments": [item.effective_at for item in opened],
            "now": uow.now,
        },
    )
    await _announce(opened, uow)
    await open_obligations(
        Trigger.HANDOFF_OPENED,
        [
            Subject(item.handoff.handoff_id, item.handoff.account_id, item.to_territory_id, uow.now)
            for item in opened
        ],
        uow,
    )


async def _announce(opened: Sequence[Opened], uow: UnitOfWork) -> None:
    outgoing = {(item.from_territory_id, item.effective_at) for item in opened}
    incoming = {(item.to_territory_id, uow.now) for item in opened}
    # Coverage travels on another topic: a rep not known yet is null here and shows up when somebody reads.
    reps = await find_reps(uow.connection, outgoing | incoming)
    uow.outbox.add_all(
        HandoffOpened(
            handoff_id=item.handoff.handoff_id,
            account_id=item.handoff.account_id,
            activation_id=item.activation_id,
            from_territory_id=item.from_territory_id,
            to_territory_id=item.to_territory_id,
            from_rep_id=reps[item.from_territory_id, item.effective_at],
            to_rep_id=reps[item.to_territory_id, uow.now],
            opened_at=uow.now,
        )
        for item in opened
    )
