"""Activations and rollbacks over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from services.assignment.alignments.activations import queries
from services.assignment.alignments.activations.activation import Activation
from services.assignment.alignments.activations.commands.activate_plan import ActivatePlan, activate_plan
from services.assignment.alignments.activations.commands.roll_back_plan import RollBackPlan, roll_back_plan
from services.assignment.alignments.activations.schemas import ActivatePlanBody, ActivationView
from services.assignment.alignments.gates.refusals import OverrideNotAllowed
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.principal import ADMINS, Principal
from shared.http.problems import describe
from shared.http.security import Planner, Reader

router = APIRouter(prefix="/v1", tags=["activations"])


def _location(activation: Activation) -> str:
    return f"/v1/activations/{activation.activation_id}"


def _overriding(wanted: ActivatePlanBody, by: Principal) -> str | None:
    if wanted.override_reason is not None and not by.roles & ADMINS:
        raise OverrideNotAllowed("override_reason: only an administrator overrides the gate; leave it out.")
    return wanted.override_reason


@router.post(
    "/plans/{plan_id}/activations",
    status_code=201,
    response_model=ActivationView,
    responses=describe(409),
)
async def create_activation(
    by: Planner,
    run: RunCommand,
    plan_id: UUID,
    version: ExpectedVersion,
    body: ActivatePlanBody | None = None,
) -> Response:
    """Put a plan in force: every account is matched and aligned, every move announced, all at once or not.

    The plan is a draft, or a retired one that goes in force again. Readers see the plan before or the plan
    after, never some accounts of each. What blocks at the gate refuses it, 409 `gate-refused` with the findings.
    """
    wanted = body or ActivatePlanBody()
    command = ActivatePlan(
        plan_id, version, wanted.effective_at, wanted.replacing_plan_id, _overriding(wanted, by)
    )
    return await run.run(
        activate_plan, command, by=by, show=ActivationView.model_validate, status=201, location=_location
    )


@router.post(
    "/plans/{plan_id}/rollbacks", status_code=201, response_model=ActivationView, responses=describe(409)
)
async def create_rollback(by: Planner, run: RunCommand, plan_id: UUID) -> Response:
    """Take the live plan back: every account is matched anew by the plan before it, which is in force again.

    That plan has not changed since: accounts that have not changed either go back to where they were, the
    others to where it sends them now.

    The path names the live plan, so of two planners who press the button together one is refused.
    Nothing is deleted: both periods stay in the history.
    """
    return await run.run(
        roll_back_plan,
        RollBackPlan(plan_id),
        by=by,
        show=ActivationView.model_validate,
        status=201,
        location=_location,
    )


@router.get("/activations")
async def list_activations(
    by: Reader,
    read: Snapshot,
    page: PageParameters,
    plan_id: Annotated[UUID | None, Query(description="Only of this plan.")] = None,
) -> Page[ActivationView]:
    """List what was put in force, oldest first."""
    rows = await queries.list_activations(read, plan_id=plan_id, page=page)
    found, cursor = page_of(rows, page, lambda activation: activation.activation_id)
    return Page(items=[ActivationView.of(one, by) for one in found], next_cursor=cursor)


@router.get("/activations/{activation_id}")
async def get_activation(by: Reader, read: Snapshot, activation_id: UUID) -> ActivationView:
    """Return one activation."""
    return ActivationView.of(await queries.find_activation(read, activation_id), by)
