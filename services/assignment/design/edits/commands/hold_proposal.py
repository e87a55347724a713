"""Hold a proposal at the version that its editor has read: who edits, accepts or deletes meanwhile waits."""

from uuid import UUID

from sqlalchemy import text

from services.assignment.design.edits.queries import Standing, find_standing
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import VersionMismatch

# Those who accept the proposal hold the run, too, but each other they let pass.
_HOLD = text("SELECT run_id FROM design_runs WHERE run_id = :run_id FOR NO KEY UPDATE")


async def hold_proposal(uow: UnitOfWork, run_id: UUID, *, edit_version: int) -> Standing:
    """Return what edits begin with. Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable, VersionMismatch."""
    await uow.connection.execute(_HOLD, {"run_id": run_id})
    standing = await find_standing(uow.connection, run_id)
    if standing.edit_version != edit_version:
        raise VersionMismatch(
            f"If-Match: the proposal is at edit version {standing.edit_version}, not {edit_version}; read it again."
        )
    return standing
