"""Follows what metrics tells of goals: each that falls behind gets a thread, where it is told what becomes of it.

A note's id is computed from its event, so that an event read again finds its note and writes no other.
"""

from collections.abc import Sequence

from sqlalchemy import text

from services.collab.goals.notes import GoalNews, describe, note_id_of
from services.collab.notes.commands import Reply, WriteNote, reply, write_note
from services.collab.notes.note import SubjectType
from services.collab.notes.queries import Subject
from services.collab.notes.visibility import Viewer
from services.collab.projections.goals import keep_goals
from shared.contracts.metrics import GoalAtRisk
from shared.db.scope import EVERYWHERE
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_THREAD = text("SELECT thread_id FROM goals WHERE goal_id = :goal")
_BEGIN = text("UPDATE goals SET thread_id = :note WHERE goal_id = :goal")
_WRITTEN = text("SELECT 1 FROM notes WHERE note_id = :note")


async def follow_goals(received: Sequence[Received[GoalNews]], uow: UnitOfWork) -> None:
    """Open a thread on each goal that fell behind, and reply in it whenever something becomes of the goal."""
    events = [one.event for one in received]
    await keep_goals([(event.goal_id, event.territory_id) for event in events], uow)
    for event in events:
        await _tell(event, uow)


async def _tell(event: GoalNews, uow: UnitOfWork) -> None:
    note_id, viewer = note_id_of(event), Viewer(uow.actor, EVERYWHERE)
    if (await uow.connection.execute(_WRITTEN, {"note": note_id})).first() is not None:
        return
    thread = (await uow.connection.execute(_THREAD, {"goal": event.goal_id})).scalar_one()
    if thread is not None:
        await reply(Reply(thread, describe(event, again=True), viewer, note_id=note_id), uow)
    elif isinstance(event, GoalAtRisk):
        subject = Subject(SubjectType.GOAL, event.goal_id)
        await write_note(WriteNote(subject, describe(event, again=False), viewer, note_id=note_id), uow)
        await uow.connection.execute(_BEGIN, {"note": note_id, "goal": event.goal_id})
