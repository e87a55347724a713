"""Follows what metrics tells of goals: who falls behind is written on the territory, where the team finds it."""

from collections.abc import Sequence

from services.collab.goals.notes import describe
from services.collab.notes.commands import WriteNote, write_note
from services.collab.notes.note import SubjectType
from services.collab.notes.queries import Subject
from services.collab.notes.visibility import Viewer
from shared.contracts.metrics import GoalAtRisk
from shared.db.scope import EVERYWHERE
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received


async def note_goals_at_risk(received: Sequence[Received[GoalAtRisk]], uow: UnitOfWork) -> None:
    """Write a note for each goal that fell behind; the event comes once until it recovers."""
    for goal in (one.event for one in received):
        subject = Subject(SubjectType.TERRITORY, goal.territory_id)
        note = WriteNote(subject, describe(goal), Viewer(uow.actor, EVERYWHERE), announced=True)
        await write_note(note, uow)
