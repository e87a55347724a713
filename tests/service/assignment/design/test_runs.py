"""Design runs as a caller meets them: asked for, refused with the field and the fix, followed, cancelled, deleted."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn

from services.assignment.design.own_process import Engines
from services.assignment.design.runs.commands.end_run import EndRun, end_run
from services.assignment.design.runs.commands.put_back_run import PutBackRun, put_back_run
from services.assignment.design.runs.commands.report_progress import ReportProgress, report_progress
from services.assignment.design.runs.commands.take_run import TakeRun, take_run
from services.assignment.design.runs.run import MOST_LOSSES, Progress, RunState
from shared.testing.waiting import PATIENCE_SECONDS, eventually
from tests.service.assignment.conftest import Assignment
from tests.service.assignment.designs import (
    EVEN,
    KEY,
    LEAVES,
    PATIENCE,
    ROOT,
    Designs,
    account_id,
    organisation,
)

pytestmark = pytest.mark.timeout(PATIENCE + 60)

LEAF = str(LEAVES["01001"])
EVENT = "assignment.design-run.finished.v1"


async def test_a_run_waits_in_the_queue_that_its_transaction_fills(designs: Designs):
    run = await designs.ask(name="Even", seed=3)
    assert (run["state"], run["name"], run["stage"], run["figures"]) == ("queued", "Even", None, None)
    assert [run["scenario"][name] for name in ("whole", "with_gaps", "seed")] == [True, True, 3]
    jobs = await designs.assignment.rows("SELECT payload, entrypoint, status FROM pgqueuer")
    assert jobs == [(UUID(run["run_id"]).bytes, "design_run", "queued")]
    again = await designs.assignment.http.post(designs.runs, json={**EVEN, "name": "Even"})
    assert (again.status_code, again.json()["code"]) == (409, "design-run-exists")
    assert await designs.assignment.rows("SELECT count(*) FROM pgqueuer") == [(1,)]


async def test_territories_are_told_with_what_they_can_carry_and_where_their_reps_live(designs: Designs):
    assignment = designs.assignment
    north, south, vacant, other = LEAVES.values()
    report = await assignment.http.post(
        "/v1/reps/imports",
        content="external_id,name,postal_code\nann,Ann,10000\nbob,Bob,10005\n",
        headers={"content-type": "text/csv"},
    )
    assert report.status_code == 200, report.text
    reps = {rep["external_id"]: rep["rep_id"] for rep in (await assignment.get("/v1/reps"))["items"]}
    for territory, rep, share in ((north, "ann", 100), (south, "bob", 100), (other, "bob", 100)):
        await assignment.post(
            "/v1/coverages",
            {
                "territory_id": str(territory),
                "rep_id": reps[rep],
                "role": "primary",
                "share_percent": str(share),
                "valid_from": assignment.clock.now().isoformat(),
            },
        )
    run = await designs.ask(pull=0.3, homes=[{"territory_id": str(other), "latitude": 41, "longitude": -89}])
    told = {
        one["territory_id"]: one
        for one in (await assignment.get(f"/v1/design-runs/{run['run_id']}/territories"))["items"]
    }
    assert {key: (one["capacity"], one["capacity_source"]) for key, one in told.items()} == {
        str(north): (1.0, "coverage"),
        str(south): (0.5, "coverage"),
        str(other): (0.5, "coverage"),
        str(vacant): (1.0, "vacant"),
    }
    # Ann's postal code is the square's corner, where its accounts are.
    assert 40 < told[str(north)]["latitude"] < 40.5
    assert -90 < told[str(north)]["longitude"] < -89.5
    assert (told[str(other)]["latitude"], told[str(other)]["longitude"]) == (41, -89)
    assert told[str(vacant)]["latitude"] is None
    equal = await designs.ask(targets="equal")
    told_equal = (await assignment.get(f"/v1/design-runs/{equal['run_id']}/territories"))["items"]
    assert {(one["capacity"], one["capacity_source"]) for one in told_equal} == {(1.0, "equal")}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"measures": []}, "measures"),
        ({"measures": [{"measure": "revenue"}]}, "currency"),
        ({"measures": [{"measure": "accounts", "currency": "USD"}]}, "currency"),
        ({"measures": [{"measure": "potential"}]}, "potential_estimate_id"),
        ({"measures": [{"measure": "accounts", "tolerance": 0}]}, "tolerance"),
        ({"measures": [{"measure": "accounts"}, {"measure": "accounts"}]}, "measures"),
        (
            {"measures": [{"measure": "potential", "potential_estimate_id": str(UUID(int=9))}]},
            "potential_estimate_id",
        ),
        ({"mode": "greenfield", "disruption": {"stay": 1}}, "disruption"),
        ({"disruption": {"counted": "revenue"}}, "currency"),
        ({"territory_ids": [str(ROOT)]}, "other territories lie below it"),
        ({"territory_ids": [str(KEY)]}, "named_account"),
        ({"territory_ids": [str(UUID(int=5))]}, "the plan has no such territory"),
        ({"capacities": [{"territory_id": str(ROOT), "capacity": 1}]}, "capacities"),
        ({"pull": 0.5}, "no territory has a home"),
        ({"homes": [{"territory_id": str(LEAVES["01001"]), "latitude": 1, "longitude": 1}]}, "pull"),
        ({"time_budget_seconds": 0}, "time_budget_seconds"),
        ({"capacities": [{"territory_id": LEAF, "capacity": 1e-320}]}, '"/capacities/0/capacity"'),
        ({"measures": [{"measure": "accounts", "currency": "USD"}]}, '"/measures/0/currency"'),
        ({"measures": [{"measure": "revenue"}]}, '"/measures/0/currency"'),
        ({"measures": [{"measure": "potential"}]}, '"/measures/0/potential_estimate_id"'),
        ({"measures": [{"measure": "accounts"}] * 2}, '"/measures"'),
        ({"disruption": {"counted": "revenue"}}, '"/disruption/currency"'),
        ({"mode": "greenfield", "disruption": {"stay": 1}}, '"/disruption"'),
        ({"territory_ids": [LEAF, LEAF]}, '"/territory_ids"'),
        ({"territory_ids": [LEAF, LEAF]}, LEAF),
        ({"required": ["needs", "needs"]}, '"/required"'),
        ({"capacities": [{"territory_id": LEAF, "capacity": 1}] * 2}, '"/capacities"'),
        ({"targets": "equal", "capacities": [{"territory_id": LEAF, "capacity": 1}]}, '"/capacities"'),
        ({"pull": 1, "homes": [{"territory_id": LEAF, "latitude": 1, "longitude": 1}] * 2}, '"/homes"'),
        ({"homes": [{"territory_id": LEAF, "latitude": 1, "longitude": 1}]}, '"/pull"'),
    ],
)
async def test_what_does_not_fit_is_refused_with_the_field_and_nothing_is_queued(
    designs: Designs, asked: dict[str, Any], says: str
):
    answer = await designs.assignment.http.post(designs.runs, json={**EVEN, **asked})
    assert answer.status_code == 422, answer.text
    assert says in answer.text
    assert await designs.assignment.rows("SELECT count(*) FROM design_runs") == [(0,)]
    assert await designs.assignment.rows("SELECT count(*) FROM pgqueuer") == [(0,)]


async def test_only_drafts_are_designed_by_planners(designs: Designs):
    assignment = designs.assignment
    live = (await assignment.get("/v1/plans", state="active"))["items"][0]["plan_id"]
    answer = await assignment.http.post(f"/v1/plans/{live}/design-runs", json=EVEN)
    assert (answer.status_code, answer.json()["code"]) == (409, "plan-not-draft")
    answer = await assignment.http.post(f"/v1/plans/{uuid4()}/design-runs", json=EVEN)
    assert answer.status_code == 404
    for caller in (assignment.caller("viewer"), assignment.caller("manager", territories=[ROOT])):
        answer = await assignment.http.post(designs.runs, json=EVEN, headers=caller)
        assert answer.status_code == 403
    run = await designs.ask()
    path = f"/v1/design-runs/{run['run_id']}"
    seen = await assignment.http.get(path, headers=assignment.caller("viewer"))
    assert (seen.status_code, seen.json()["asked_by"]) == (200, None)
    scoped = await assignment.http.get(path, headers=assignment.caller("manager", territories=[ROOT]))
    assert scoped.status_code == 403


async def test_a_run_that_waits_is_cancelled_at_once_and_its_job_comes_to_nothing(designs: Designs):
    run = await designs.ask()
    path = f"/v1/design-runs/{run['run_id']}"
    refused = await designs.assignment.http.delete(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "design-run-not-ended")
    cancelled = await designs.assignment.post(f"{path}/cancellations")
    assert (cancelled["state"], cancelled["reason"]) == ("cancelled", None)
    assert cancelled["ended_at"] is not None
    again = await designs.assignment.http.post(f"{path}/cancellations")
    assert (again.status_code, again.json()["code"]) == (409, "design-run-ended")
    async with designs.worker():
        await eventually(lambda: _no_jobs(designs))
    proposal = await designs.assignment.http.get(f"{path}/proposal")
    assert (proposal.status_code, proposal.json()["code"]) == (409, "design-run-without-proposal")
    (event,) = await designs.assignment.events(EVENT)
    assert (event["state"], event["accounts"]) == ("cancelled", None)
    assert (await designs.assignment.http.delete(path)).status_code == 204
    assert (await designs.assignment.http.get(path)).status_code == 404


async def _no_jobs(designs: Designs) -> bool:
    return await designs.assignment.rows("SELECT count(*) FROM pgqueuer") == [(0,)]


async def test_a_run_under_way_is_cancelled_within_a_second_or_so(designs: Designs):
    run = await designs.ask(starts=64, time_budget_seconds=3600, measures=HARD)
    path = f"/v1/design-runs/{run['run_id']}"
    async with designs.worker():
        await _told_of(designs, run["run_id"], "running")
        asked = asyncio.get_running_loop().time()
        await designs.assignment.post(f"{path}/cancellations")
        ended = await designs.ended(run["run_id"])
        took = asyncio.get_running_loop().time() - asked
    assert ended["state"] == "cancelled"
    # Half a second until it is noticed, and the process is killed; a busy machine takes its time.
    assert took < 5
    assert await designs.assignment.rows("SELECT count(*) FROM design_proposals") == [(0,)]


HARD = [{"measure": "accounts", "tolerance": 0.01}, {"measure": "employees", "tolerance": 0.01}]


async def _told_of(designs: Designs, run_id: str, state: str) -> None:
    async def look() -> bool:
        return (await designs.find(run_id))["state"] == state

    await eventually(look, timeout=PATIENCE, every=0.02)


async def test_a_worker_that_stops_puts_its_run_back_for_the_next(designs: Designs):
    run = await designs.ask(starts=64, measures=HARD)
    async with designs.worker() as stopping:
        await _told_of(designs, run["run_id"], "running")
        stopping.set()
    back = await designs.find(run["run_id"])
    assert (back["state"], back["stage"]) == ("queued", None)
    assert await designs.assignment.rows("SELECT status FROM pgqueuer") == [("queued",)]
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert ended["state"] in {"finished", "infeasible"}
    assert await designs.assignment.rows("SELECT attempt, losses FROM design_runs") == [(2, 0)]


async def test_what_cannot_be_balanced_is_told(designs: Designs):
    run = await designs.ask(measures=[{"measure": "revenue", "currency": "USD"}])
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("failed", "nothing-to-balance")
    assert "measures/0: no account has any revenue USD" in ended["detail"]
    (event,) = await designs.assignment.events(EVENT)
    assert (event["state"], event["reason"]) == ("failed", "nothing-to-balance")


async def test_only_the_worker_that_took_a_run_last_is_heard(designs: Designs):
    """One that was thought dead may come back, with progress or an end of its own."""
    run_id = UUID((await designs.ask())["run_id"])
    transact, progress = designs.transact, Progress("improve", 0.5, None)
    first = await transact(take_run, TakeRun(run_id))
    assert await transact(report_progress, ReportProgress(run_id, first.attempt, progress))
    second = await transact(take_run, TakeRun(run_id))
    assert (first.attempt, second.attempt, second.stage) == (1, 2, None)
    assert not await transact(report_progress, ReportProgress(run_id, 1, progress))
    assert not await transact(end_run, EndRun(run_id, 1, RunState.CANCELLED))
    # It was not lost, though: whoever took the run from it had counted that.
    assert await designs.assignment.rows("SELECT attempt, losses FROM design_runs") == [(2, 1)]
    await transact(put_back_run, PutBackRun(run_id, 1))
    assert (await designs.find(str(run_id)))["state"] == "running"
    assert await designs.assignment.rows("SELECT attempt, losses FROM design_runs") == [(2, 0)]
    assert await transact(end_run, EndRun(run_id, 2, RunState.CANCELLED))
    assert await transact(take_run, TakeRun(run_id)) is None
    assert len(await designs.assignment.events(EVENT)) == 1


async def test_a_run_that_loses_worker_after_worker_is_given_up(designs: Designs):
    run_id = UUID((await designs.ask())["run_id"])
    takes = [await designs.transact(take_run, TakeRun(run_id)) for _ in range(MOST_LOSSES + 1)]
    assert [one is None for one in takes] == [False] * MOST_LOSSES + [True]
    run = await designs.find(str(run_id))
    assert (run["state"], run["reason"]) == ("failed", "engine-ended")
    assert "4 workers" in run["detail"]


async def test_a_fault_of_the_engine_ends_the_run_and_leaves_the_worker_at_work(designs: Designs):
    broken = await designs.ask()
    await designs.assignment.execute("DELETE FROM design_run_territories")
    sound = await designs.ask()
    async with designs.worker():
        ended = await designs.ended(broken["run_id"])
        assert (await designs.ended(sound["run_id"]))["state"] == "finished"
    assert (ended["state"], ended["reason"]) == ("failed", "engine-failed")
    assert await _no_jobs(designs)


async def test_a_spare_engine_that_ended_while_it_waited_fails_no_run(designs: Designs):
    """It is idle and large: what a machine short of memory kills first, long before anybody asks for a run."""
    designs.engines.stand_by()
    waiting = designs.engines._spare
    assert waiting is not None
    await (await waiting).end()
    run = await designs.ask()
    async with designs.worker():
        ended = await designs.ended(run["run_id"])
    assert (ended["state"], ended["reason"]) == ("finished", None)


async def test_runs_of_a_plan_are_listed_newest_first(designs: Designs):
    names = ["one", "two", "three"]
    for name in names:
        await designs.ask(name=name)
        designs.assignment.clock.advance(timedelta(seconds=1))
    assert [run["name"] for run in await designs.pages(designs.runs)] == names[::-1]
    assert [run["name"] for run in await designs.pages(designs.runs, state="running")] == []
    first = await designs.assignment.get(designs.runs, limit=2)
    rest = await designs.assignment.get(designs.runs, limit=2, cursor=first["next_cursor"])
    assert [run["name"] for run in first["items"] + rest["items"]] == names[::-1]


async def test_a_run_is_followed_over_a_real_socket_until_it_ends(designs: Designs):
    run = await designs.ask()
    path = f"/v1/design-runs/{run['run_id']}/progress"
    server, serving, url = await _served(designs.assignment)
    try:
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:
            heard = asyncio.Event()
            following = asyncio.create_task(_events(http, path, designs.assignment, heard=heard))
            await heard.wait()
            async with designs.worker():
                events = await following
            assert events[0][0] == "run"
            assert events[0][2]["state"] == "queued"
            assert (events[-1][0], events[-1][2]["state"]) == ("ended", "finished")
            numbers = [number for _, number, _ in events]
            assert numbers == sorted(set(numbers))
            stages = [data["stage"] for _, _, data in events if data["stage"] is not None]
            assert stages[-1] == "report"
            assert events[-1][2]["share"] == 1
            # Who comes back after the end is told so, once more.
            again = await _events(http, path, designs.assignment, after=numbers[-1])
            assert [(name, number) for name, number, _ in again] == [("ended", numbers[-1])]
            missing = await http.get(
                f"/v1/design-runs/{uuid4()}/progress", headers=designs.assignment.caller("admin")
            )
            assert missing.status_code == 404
    finally:
        server.should_exit = True
        await serving


async def _served(assignment: Assignment) -> tuple[uvicorn.Server, asyncio.Task[None], str]:
    app = assignment.http._transport.app
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, timeout=PATIENCE_SECONDS)
    return server, serving, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


async def _events(
    http: httpx.AsyncClient,
    path: str,
    assignment: Assignment,
    *,
    after: int | None = None,
    heard: asyncio.Event | None = None,
) -> list[tuple[str, int, dict[str, Any]]]:
    headers = {
        **assignment.caller("admin"),
        **({} if after is None else {"last-event-id": str(after)}),
    }
    found: list[tuple[str, int, dict[str, Any]]] = []
    fields: dict[str, str] = {}
    async with http.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "event" in fields:
                found.append((fields["event"], int(fields["id"]), json.loads(fields["data"])))
                fields = {}
                if heard is not None:
                    heard.set()
    return found


async def test_accounts_without_a_place_are_left_out_and_listed(assignment: Assignment, engines: Engines):
    more = [
        {"external_id": "nowhere", "county": "01001"},
        {"external_id": "key", "county": "09001", "latitude": 41, "longitude": -89},
        {"external_id": "elsewhere", "county": "01001", "latitude": 41, "longitude": -89},
        {"external_id": "gap", "latitude": 41, "longitude": -89},
    ]
    plan_id = await organisation(assignment, *more)
    pin = {"territory_id": str(KEY), "reason": "Board", "owner_subject": "boss"}
    await assignment.put(f"/v1/plans/{plan_id}/pins/{account_id('elsewhere')}", pin, version=1)
    designs = Designs(assignment, engines, plan_id)
    proposal = await designs.design()
    assert proposal["left_out"] == {"no_location": 1, "pinned_elsewhere": 1, "kept_by_draft": 0}
    assert (proposal["accounts"], proposal["elsewhere"], proposal["aligned_accounts"]) == (401, 1, 400)
    path = f"/v1/design-runs/{proposal['run_id']}/left-out-accounts"
    listed = {one["account_id"]: one["reason"] for one in await designs.pages(path)}
    assert listed == {account_id("nowhere"): "no_location", account_id("elsewhere"): "pinned_elsewhere"}
    assert [one["account_id"] for one in await designs.pages(path, reason="no_location")] == [
        account_id("nowhere")
    ]
    places = await designs.places(proposal["run_id"])
    assert account_id("gap") in places
    assert not {account_id("nowhere"), account_id("key"), account_id("elsewhere")} & places.keys()
