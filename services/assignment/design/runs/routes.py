"""Design runs over HTTP: asked for here, done by the worker, followed live."""

import time
from collections.abc import AsyncIterable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.assignment.design.runs import queries
from services.assignment.design.runs.bodies import DesignRunBody
from services.assignment.design.runs.commands.ask_for_run import AskForRun, ask_for_run
from services.assignment.design.runs.commands.cancel_run import CancelRun, cancel_run
from services.assignment.design.runs.commands.delete_run import DeleteRun, delete_run
from services.assignment.design.runs.commands.tell_followers import CHANNEL
from services.assignment.design.runs.limits import (
    AllForbiddenView,
    BarriersView,
    FamiliesView,
    FamilyView,
    ForbiddenView,
    LineStringView,
)
from services.assignment.design.runs.roads import RoadRegionsView, RoadRegionView
from services.assignment.design.runs.run import Family, Forbidden, LeftOut, RunState
from services.assignment.design.runs.schemas import (
    DesignRunView,
    LeftOutAccountView,
    RunTerritoriesView,
    RunTerritoryView,
)
from services.assignment.design.runs.stream import Follower
from services.assignment.plans.queries import find_plan
from shared.db.bell import Bell
from shared.http.commands import RunCommand, Snapshot, get_parts
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.principal import READERS, Principal
from shared.http.problems import describe
from shared.http.security import Allow, Planner

router = APIRouter(tags=["design"])

# A stream ends after so long, and the reader comes back with a fresh token and the number it had.
LONGEST_SECONDS = 300.0

# What a run tells is of all accounts of the organisation at once.
WholeReader = Annotated[Principal, Depends(Allow(READERS, whole_organisation=True))]


def install_bell(app: FastAPI) -> None:
    """Give an app what rings when a run changes."""
    app.state.design_bell = Bell(app.state.parts.engine, CHANNEL)


@router.post(
    "/v1/plans/{plan_id}/design-runs",
    status_code=202,
    response_model=DesignRunView,
    responses=describe(404, 409),
)
async def create_design_run(by: Planner, run: RunCommand, plan_id: UUID, body: DesignRunBody) -> Response:
    """Have a draft's territories designed; the worker does it, and `Location` says how far it is.

    Nothing changes in the draft until its proposal is accepted. Several runs of a plan are scenarios to compare.
    """
    command = AskForRun(
        plan_id=plan_id,
        name=body.name,
        scenario=body.scenario(),
        territory_ids=None if body.territory_ids is None else frozenset(body.territory_ids),
        equal=body.targets == "equal",
        capacities={one.territory_id: one.capacity for one in body.capacities},
        homes={one.territory_id: (one.latitude, one.longitude) for one in body.homes},
        time_budget_seconds=body.time_budget_seconds,
        size=body.accounts.size(),
        sizes=body.accounts.single(),
        families=[Family(one.name, tuple(one.account_ids)) for one in body.families],
        forbidden=[Forbidden(one.territory_id, tuple(one.account_ids)) for one in body.forbidden],
        barriers=[[(point[0], point[1]) for point in line.coordinates] for line in body.barriers],
        road_regions=[one.region() for one in body.road_factors.regions],
    )
    return await run.run(
        ask_for_run,
        command,
        by=by,
        show=lambda found: DesignRunView.of(found, by),
        status=202,
        location=lambda found: f"/v1/design-runs/{found.run_id}",
    )


@router.get("/v1/plans/{plan_id}/design-runs")
async def list_design_runs(
    by: WholeReader,
    read: Snapshot,
    page: PageParameters,
    plan_id: UUID,
    state: Annotated[RunState | None, Query(description="Only runs that stand there.")] = None,
) -> Page[DesignRunView]:
    """List the runs of a plan, newest first."""
    await find_plan(read, plan_id)
    rows = await queries.list_runs(read, plan_id, state=state, page=page)
    items, cursor = page_of(rows, page, lambda found: found.run_id)
    return Page(items=[DesignRunView.of(found, by) for found in items], next_cursor=cursor)


@router.get("/v1/design-runs/{run_id}")
async def get_design_run(by: WholeReader, read: Snapshot, run_id: UUID) -> DesignRunView:
    """Return a run: where it stands, its stage, and the figures of the best plan so far."""
    return DesignRunView.of(await queries.find_run(read, run_id), by)


@router.delete("/v1/design-runs/{run_id}", status_code=204, response_class=Response, responses=describe(409))
async def delete_design_run(by: Planner, run: RunCommand, run_id: UUID) -> Response:
    """Delete a run that has ended, with its proposal; what drafts took of it, they keep."""
    return await run.run(delete_run, DeleteRun(run_id), by=by, show=lambda _: None, status=204)


@router.get("/v1/design-runs/{run_id}/territories")
async def list_design_run_territories(_: WholeReader, read: Snapshot, run_id: UUID) -> RunTerritoriesView:
    """List the territories that a run designs, with capacities and homes as they were when it was asked for."""
    await queries.find_run(read, run_id)
    found = await queries.list_run_territories(read, run_id)
    return RunTerritoriesView(items=[RunTerritoryView.of(one) for one in found])


@router.get("/v1/design-runs/{run_id}/families")
async def list_design_run_families(_: WholeReader, read: Snapshot, run_id: UUID) -> FamiliesView:
    """List the accounts that were told to go to one territory, family by family."""
    await queries.find_run(read, run_id)
    found = await queries.list_families(read, run_id)
    return FamiliesView(items=[FamilyView.model_validate(one) for one in found])


@router.get("/v1/design-runs/{run_id}/forbidden-accounts")
async def list_design_run_forbidden_accounts(
    _: WholeReader, read: Snapshot, run_id: UUID
) -> AllForbiddenView:
    """List the accounts that territories may not have, territory by territory, as they were told."""
    await queries.find_run(read, run_id)
    found = await queries.list_forbidden(read, run_id)
    return AllForbiddenView(items=[ForbiddenView.model_validate(one) for one in found])


@router.get("/v1/design-runs/{run_id}/barriers")
async def list_design_run_barriers(_: WholeReader, read: Snapshot, run_id: UUID) -> BarriersView:
    """List the lines that no territory of a run crosses, as they were told."""
    await queries.find_run(read, run_id)
    lines = await queries.list_barriers(read, run_id)
    return BarriersView(items=[LineStringView(coordinates=line) for line in lines])


@router.get("/v1/design-runs/{run_id}/road-regions")
async def list_design_run_road_regions(_: WholeReader, read: Snapshot, run_id: UUID) -> RoadRegionsView:
    """List the regions that have road factors of their own, as they were told; the first that an account is in counts."""
    await queries.find_run(read, run_id)
    found = await queries.list_road_regions(read, run_id)
    return RoadRegionsView(items=[RoadRegionView.of(one) for one in found])


@router.get("/v1/design-runs/{run_id}/left-out-accounts")
async def list_left_out_accounts(
    _: WholeReader,
    read: Snapshot,
    page: PageParameters,
    run_id: UUID,
    reason: Annotated[LeftOut | None, Query(description="Only those left out for this.")] = None,
) -> Page[LeftOutAccountView]:
    """List accounts that a run is about and that take no part, by account; known once there is a proposal."""
    await queries.find_run(read, run_id)
    rows = await queries.list_left_out(read, run_id, reason=reason, page=page)
    items, cursor = page_of(rows, page, lambda one: one.account_id)
    return Page(items=[LeftOutAccountView.of(one) for one in items], next_cursor=cursor)


@router.post("/v1/design-runs/{run_id}/cancellations", response_model=DesignRunView, responses=describe(409))
async def create_design_run_cancellation(by: Planner, run: RunCommand, run_id: UUID) -> Response:
    """Cancel a run: one that waits at once, one under way within a second or so; it leaves no proposal."""
    return await run.run(cancel_run, CancelRun(run_id), by=by, show=lambda found: DesignRunView.of(found, by))


async def following(request: Request, read: Snapshot, run_id: UUID) -> Follower:
    """Return who follows the run that the path names. Raises NotFound, while there is still a status to say it with."""
    await queries.find_run(read, run_id)
    return Follower(get_parts(request).engine, request.app.state.design_bell, run_id)


@router.get("/v1/design-runs/{run_id}/progress", response_class=EventSourceResponse)
async def list_design_run_progress(
    request: Request,
    by: WholeReader,
    follower: Annotated[Follower, Depends(following)],
    last_event_id: Annotated[
        str | None, Header(pattern="^[0-9]{1,18}$", description="Go on after this event; browsers send it.")
    ] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Follow a run as server-sent events.

    `run` is a DesignRunView: at once as it stands, and whenever it changed since; states in between may be left out.
    Every event has an id: come back with it in Last-Event-ID and you are told once there is something new. `ended` is
    the last of all, with the same body: close the stream. Otherwise it ends after five minutes.
    """
    state, until = request.app.state, time.monotonic() + LONGEST_SECONDS
    after = None if last_event_id is None else int(last_event_id)
    async for run in follower.follow(
        after, told_to_end=lambda: getattr(state, "stopping", False) or time.monotonic() > until
    ):
        event = "ended" if run.state.ended else "run"
        yield ServerSentEvent(event=event, id=str(run.number), data=DesignRunView.of(run, by))
