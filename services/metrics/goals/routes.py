"""HTTP: goals, their SMART check, and how they do."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from services.metrics.goals.commands import keep_goal
from services.metrics.goals.commands.keep_goal import (
    ActivateGoal,
    CancelGoal,
    ChangeGoal,
    CheckedGoal,
    DraftGoal,
)
from services.metrics.goals.pace import progress_of
from services.metrics.goals.queries import GoalsAsked, find_goal, find_surroundings
from services.metrics.goals.queries import list_goals as find_goals
from services.metrics.goals.schemas import CheckedGoalView, GoalBody, GoalView, ProgressView
from services.metrics.goals.smart import check
from services.metrics.goals.state import GoalState
from services.metrics.goals.values import read_value
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, VersionIfSent, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Manager, Reader

router = APIRouter(prefix="/v1/goals", tags=["goals"])


def goals_asked(
    territory_id: UUID | None = None,
    state: GoalState | None = None,
    at_risk: Annotated[bool | None, Query(description="Only those that are, or are not, in danger.")] = None,
) -> GoalsAsked:
    """Read the filter from the query."""
    return GoalsAsked(territory_id, state, at_risk)


@router.get("")
async def list_goals(
    by: Reader, read: Snapshot, page: PageParameters, asked: Annotated[GoalsAsked, Depends(goals_asked)]
) -> Page[GoalView]:
    """List the goals of the territories in your scope."""
    found = await find_goals(read, asked, page=page, scope=by.scope)
    items, cursor = page_of(found, page, key=lambda one: one.goal.goal_id)
    return Page(items=[GoalView.of(one) for one in items], next_cursor=cursor)


@router.post("", status_code=201, response_model=CheckedGoalView, responses=describe(404))
async def create_goal(by: Manager, run: RunCommand, body: GoalBody) -> Response:
    """Draft a goal; the answer says what the SMART check finds."""
    command = DraftGoal(body.terms(), by.scope)
    return await run.run(
        keep_goal.draft_goal,
        command,
        by=by,
        show=CheckedGoalView.of_checked,
        status=201,
        version=_version,
        location=lambda checked: f"/v1/goals/{checked.found.goal.goal_id}",
    )


@router.get("/{goal_id}", responses=describe(404))
async def get_goal(
    by: Reader, read: Snapshot, now: Now, goal_id: UUID, response: Response
) -> CheckedGoalView:
    """Return a goal with what the SMART check finds today; one that was activated is checked no more."""
    found = await find_goal(read, goal_id, scope=by.scope)
    response.headers["etag"] = etag_of(found.goal.version)
    if found.goal.state is not GoalState.DRAFT:
        return CheckedGoalView.of_checked(CheckedGoal(found, []))
    around = await find_surroundings(read, goal_id, found.goal.terms, today=now.date(), scope=by.scope)
    return CheckedGoalView.of_checked(CheckedGoal(found, check(found.goal.terms, around)))


@router.put("/{goal_id}", response_model=CheckedGoalView, responses=describe(404, 409))
async def put_goal(
    by: Manager, run: RunCommand, goal_id: UUID, version: ExpectedVersion, body: GoalBody
) -> Response:
    """Replace the terms of a draft."""
    command = ChangeGoal(goal_id, version, body.terms(), by.scope)
    return await run.run(
        keep_goal.change_goal, command, by=by, show=CheckedGoalView.of_checked, version=_version
    )


@router.post("/{goal_id}/activations", response_model=CheckedGoalView, responses=describe(404, 409))
async def create_goal_activation(
    by: Manager, run: RunCommand, goal_id: UUID, version: VersionIfSent
) -> Response:
    """Begin to follow a draft; refused with the findings while the SMART check fails."""
    command = ActivateGoal(goal_id, version, by.scope)
    return await run.run(
        keep_goal.activate_goal, command, by=by, show=CheckedGoalView.of_checked, version=_version
    )


@router.post("/{goal_id}/cancellations", response_model=CheckedGoalView, responses=describe(404, 409))
async def create_goal_cancellation(
    by: Manager, run: RunCommand, goal_id: UUID, version: VersionIfSent
) -> Response:
    """Give a draft or an active goal up, for good."""
    command = CancelGoal(goal_id, version, by.scope)
    return await run.run(
        keep_goal.cancel_goal, command, by=by, show=CheckedGoalView.of_checked, version=_version
    )


@router.get("/{goal_id}/progress", responses=describe(404))
async def get_goal_progress(by: Reader, read: Snapshot, now: Now, goal_id: UUID) -> ProgressView:
    """Return where a goal stands now: value, pace and forecast."""
    found = await find_goal(read, goal_id, scope=by.scope)
    value = await read_value(read, found.goal.terms)
    progress = progress_of(found.goal.terms, value, found.history, today=now.date())
    return ProgressView.of(found, progress)


def _version(checked: CheckedGoal) -> int:
    return checked.found.goal.version
