"""Edits of proposals over HTTP: made, undone, redone, listed."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.assignment.design.edits import queries
from services.assignment.design.edits.commands.edit_proposal import EditProposal, edit_proposal
from services.assignment.design.edits.commands.undo_edit import Step, redo_edit, undo_edit
from services.assignment.design.edits.schemas import (
    EditBody,
    EditedProposalView,
    EditView,
    EditWithMovesView,
)
from services.assignment.design.edits.turns import EditTurns
from services.assignment.design.proposals.queries import find_proposing
from services.assignment.design.runs.routes import WholeReader
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Planner

router = APIRouter(prefix="/v1/design-runs/{run_id}", tags=["design"])


@router.post("/edits", status_code=201, response_model=EditedProposalView, responses=describe(404, 409, 503))
async def create_design_edit(
    by: Planner, run: RunCommand, turns: EditTurns, run_id: UUID, version: ExpectedVersion, body: EditBody
) -> Response:
    """Move accounts of a proposal to other territories by hand, and be told at once what that does.

    If-Match is the proposal's ETag. Moves that may not be made are told row by row, and then none is made: a pin of the
    draft holds the account elsewhere, the territory may not hold it, the account takes no part. Limits of the scenario
    refuse nothing: those that are not kept are told.
    """
    async with turns.take():
        return await run.run(
            edit_proposal,
            EditProposal(run_id, version, body.asked()),
            by=by,
            show=EditedProposalView.of,
            status=201,
            version=lambda edited: edited.edit_version,
            location=lambda edited: f"/v1/design-runs/{run_id}/edits/{edited.edit.edit_id}",
        )


@router.post("/edit-undoings", response_model=EditedProposalView, responses=describe(404, 409))
async def create_design_edit_undoing(
    by: Planner, run: RunCommand, run_id: UUID, version: ExpectedVersion
) -> Response:
    """Undo the last edit that is applied; If-Match is the proposal's ETag. Figures are exactly those of before."""
    return await run.run(
        undo_edit,
        Step(run_id, version),
        by=by,
        show=EditedProposalView.of,
        version=lambda edited: edited.edit_version,
    )


@router.post("/edit-redoings", response_model=EditedProposalView, responses=describe(404, 409))
async def create_design_edit_redoing(
    by: Planner, run: RunCommand, run_id: UUID, version: ExpectedVersion
) -> Response:
    """Redo the edit that was undone last, unless another was made since; If-Match is the proposal's ETag."""
    return await run.run(
        redo_edit,
        Step(run_id, version),
        by=by,
        show=EditedProposalView.of,
        version=lambda edited: edited.edit_version,
    )


@router.get("/edits", responses=describe(409))
async def list_design_edits(
    by: WholeReader, read: Snapshot, page: PageParameters, run_id: UUID
) -> Page[EditView]:
    """List the edits of a run's proposal, the latest first, undone ones included."""
    await find_proposing(read, run_id)
    rows = await queries.list_edits(read, run_id, page=page)
    items, cursor = page_of(rows, page, lambda edit: edit.edit_id)
    return Page(items=[EditView.of(edit, by) for edit in items], next_cursor=cursor)


@router.get("/edits/{edit_id}", responses=describe(409))
async def get_design_edit(by: WholeReader, read: Snapshot, run_id: UUID, edit_id: UUID) -> EditWithMovesView:
    """Return an edit with the accounts that it moves."""
    await find_proposing(read, run_id)
    edit = await queries.find_edit(read, run_id, edit_id)
    touched = await queries.list_touched(read, edit_id)
    return EditWithMovesView.with_moves(edit, touched, await queries.list_moves(read, edit_id), by)
