"""Undo the last edit of a proposal, or redo the one that was undone last: exactly what was there is put back."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import text

from services.assignment.design.edits.commands.hold_proposal import hold_proposal
from services.assignment.design.edits.commands.write_image import move_accounts, write_image
from services.assignment.design.edits.edit import EditState
from services.assignment.design.edits.queries import Standing, find_edit, list_moves
from services.assignment.design.edits.refusals import NothingToRedo, NothingToUndo
from services.assignment.design.edits.result import EditedProposal
from services.assignment.design.edits.score import Image
from shared.db.unit_of_work import UnitOfWork

_IMAGE = TypeAdapter(Image)

_LAST_APPLIED = text("""
SELECT edit_id, before, after FROM design_edits
WHERE run_id = :run_id AND state = 'applied' ORDER BY number DESC LIMIT 1
""")
_FIRST_UNDONE = text("""
SELECT edit_id, before, after FROM design_edits
WHERE run_id = :run_id AND state = 'undone' ORDER BY number LIMIT 1
""")
_CHANGE = text("""
UPDATE design_edits SET state = :state, changed_by = :actor, changed_at = :now WHERE edit_id = :edit_id
""")


@dataclass(frozen=True, slots=True)
class Step:
    """One edit back or forth, in a run's proposal at the version that its editor has read."""

    run_id: UUID
    edit_version: int


async def undo_edit(command: Step, uow: UnitOfWork) -> EditedProposal:
    """Take the last edit back.

    Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable, PlanNotDraft, VersionMismatch, NothingToUndo.
    """
    standing = await hold_proposal(uow, command.run_id, edit_version=command.edit_version)
    row = (await uow.connection.execute(_LAST_APPLIED, {"run_id": command.run_id})).one_or_none()
    if row is None:
        raise NothingToUndo("run_id: no edit of this proposal is applied.")
    return await _put(uow, standing, row, back=True)


async def redo_edit(command: Step, uow: UnitOfWork) -> EditedProposal:
    """Make the edit again that was undone last.

    Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable, PlanNotDraft, VersionMismatch, NothingToRedo.
    """
    standing = await hold_proposal(uow, command.run_id, edit_version=command.edit_version)
    row = (await uow.connection.execute(_FIRST_UNDONE, {"run_id": command.run_id})).one_or_none()
    if row is None:
        raise NothingToRedo("run_id: no edit of this proposal is undone, or another was made since.")
    return await _put(uow, standing, row, back=False)


async def _put(uow: UnitOfWork, standing: Standing, row: Any, *, back: bool) -> EditedProposal:
    """Put accounts and figures to where they were before an edit, or after it."""
    run_id, edit_id = standing.run.run_id, row.edit_id
    before, after = _IMAGE.validate_python(row.before), _IMAGE.validate_python(row.after)
    if back:
        before, after = after, before
    moves = await list_moves(uow.connection, edit_id)
    places = {one.account_id: one.from_territory_id if back else one.to_territory_id for one in moves}
    await move_accounts(uow, run_id, places)
    version = await write_image(uow, run_id, after)
    state = EditState.UNDONE if back else EditState.APPLIED
    told = {"edit_id": edit_id, "state": state.value, "actor": uow.actor, "now": uow.now}
    await uow.connection.execute(_CHANGE, told)
    return EditedProposal(
        standing=standing,
        edit=await find_edit(uow.connection, run_id, edit_id),
        edit_version=version,
        unchanged=0,
        before=before,
        after=after,
    )
