"""Hold a proposal at the version that its editor has read: who edits, accepts or deletes meanwhile waits."""

from uuid import UUID

from sqlalchemy import text

from services.assignment.design.edits.queries import Standing, find_standing
from services.assignment.plans.plan import PlanState
from services.assignment.plans.refusals import PlanNotDraft
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import VersionMismatch

# Those who accept the proposal hold the run, too, but each other they let pass.
_HOLD = text("""
SELECT p.state FROM design_runs AS r JOIN plans AS p USING (plan_id) WHERE run_id = :run_id FOR NO KEY UPDATE OF r
""")


async def hold_proposal(uow: UnitOfWork, run_id: UUID, *, edit_version: int) -> Standing:
    """Return what edits begin with; of a plan that is no draft any more nothing is edited, as nothing is accepted.

    Raises NotFound, DesignRunWithoutProposal, ProposalNotEditable, PlanNotDraft, VersionMismatch.
    """
    state = (await uow.connection.execute(_HOLD, {"run_id": run_id})).scalar_one_or_none()
    standing = await find_standing(uow.connection, run_id)
    if state != PlanState.DRAFT:
        raise PlanNotDraft(
            f"run_id: its plan is {state}, and no draft takes the proposal over; clone the plan."
        )
    if standing.edit_version != edit_version:
        raise VersionMismatch(
            f"If-Match: the proposal is at edit version {standing.edit_version}, not {edit_version}; read it again."
        )
    return standing
