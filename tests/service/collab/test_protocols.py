"""Protocols that run: events start clocks, the worker takes their steps, doing what is owed ends them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collab.protocols.obligations.commands.take_steps import TakeSteps, take_steps
from services.collab.protocols.obligations.worker import run_protocols
from shared.contracts.assignment import CoverageStarted
from shared.db.unit_of_work import UnitOfWork
from shared.testing.frozen_clock import A_MONDAY
from shared.testing.waiting import eventually
from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, ROOT, SOUTH, Collab, activated, aligned
from tests.service.collab.school import covers, ok, send

REP, BOSS, OTHER = UUID(int=0xA1), UUID(int=0xB0), UUID(int=0xA2)
DUE = datetime(2026, 11, 25, 17, tzinfo=UTC)


BUSINESS = {
    "time_zone": "UTC",
    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
}
AT_THE_DEADLINE = [{"action": "escalate"}, {"action": "breach"}]
PROTOCOLS = {
    "customer-answer": {
        "name": "A customer is answered in one business day",
        "trigger": "customer-contacted",
        "due": {"amount": 1, "unit": "days"},
        "steps": [{"action": "remind", "after": {"amount": 4, "unit": "hours"}}, *AT_THE_DEADLINE],
    },
    "handoff-acceptance": {
        "name": "A handoff is accepted in two business days",
        "trigger": "handoff-opened",
        "due": {"amount": 2, "unit": "days"},
        "steps": [{"action": "remind", "after": {"amount": 1, "unit": "days"}}, *AT_THE_DEADLINE],
    },
}


@pytest.fixture
async def running(collab: Collab) -> Collab:
    """A live tree; a rep in the north's city, and one at the root; what is to be done in which time."""
    await collab.go_live()
    await ok(collab, "PUT", "/v1/calendars/business", BUSINESS)
    for code, body in PROTOCOLS.items():
        await ok(collab, "PUT", f"/v1/protocols/{code}", body)
    await collab.feed(covers(REP, NORTH_CITY), covers(BOSS, ROOT))
    return collab


async def hand_over(collab: Collab, target: UUID = NORTH_CITY) -> tuple[UUID, dict[str, Any]]:
    """Move an account into a territory; return it and its handoff."""
    account = uuid4()
    await collab.feed(aligned(account, SOUTH, target, uuid4()))
    (handoff,) = (await ok(collab, "GET", f"/v1/handoffs?account_id={account}"))["items"]
    return account, handoff


async def owed(collab: Collab, **wanted: object) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in wanted.items())
    return (await ok(collab, "GET", f"/v1/obligations?{query}"))["items"]


async def the_one(collab: Collab, **wanted: object) -> dict[str, Any]:
    (found,) = await owed(collab, **wanted)
    return await ok(collab, "GET", f"/v1/obligations/{found['obligation_id']}")


async def tick(collab: Collab, now: datetime) -> int:
    collab.clock.move_to(now)
    return await collab.transact(take_steps, TakeSteps())


async def told(collab: Collab) -> list[str]:
    return [kind.split(".")[2] for kind, _ in await collab.outbox() if "obligation" in kind]


def steps(obligation: dict[str, Any]) -> list[tuple[str, str]]:
    return [(step["action"], step["state"]) for step in obligation["steps"]]


async def test_a_handoff_starts_a_clock_and_its_acceptance_ends_it(running: Collab):
    account, handoff = await hand_over(running)
    found = await the_one(running, state="open", territory_id=NORTH)
    assert (found["duty"], found["subject_id"], found["account_id"]) == (
        "accept",
        handoff["handoff_id"],
        str(account),
    )
    assert (found["rep_id"], found["protocol_code"], found["protocol_version"]) == (
        str(REP),
        "handoff-acceptance",
        1,
    )
    assert found["due_at"] == DUE.isoformat().replace("+00:00", "Z")
    assert steps(found) == [("remind", "pending"), ("escalate", "pending"), ("breach", "pending")]
    await ok(running, "POST", f"/v1/handoffs/{handoff['handoff_id']}/acceptances")
    closed = await the_one(running, state="closed")
    assert (closed["outcome"], closed["closed_by"]) == ("fulfilled", "tester")
    assert {state for _, state in steps(closed)} == {"cancelled"}
    assert await tick(running, DUE + timedelta(days=9)) == 0
    assert await told(running) == ["opened", "closed"]


async def test_who_does_not_accept_is_reminded_then_the_parent_is_told_and_it_is_breached(running: Collab):
    """Nobody covers the north itself: the escalation goes on up to the root."""
    _, handoff = await hand_over(running)
    assert await tick(running, DUE - timedelta(days=1, microseconds=1)) == 0
    assert await tick(running, DUE - timedelta(days=1)) == 1
    assert await tick(running, DUE - timedelta(microseconds=1)) == 0
    assert await tick(running, DUE) == 2
    assert await tick(running, DUE + timedelta(days=30)) == 0
    found = await the_one(running, state="breached")
    remind, escalate, breach = found["steps"]
    assert (remind["told_rep_id"], remind["told_territory_id"]) == (str(REP), str(NORTH_CITY))
    assert (escalate["told_rep_id"], escalate["told_territory_id"]) == (str(BOSS), str(ROOT))
    assert (breach["action"], breach["told_rep_id"]) == ("breach", None)
    assert {step["untold_because"] for step in found["steps"]} == {None}
    assert await told(running) == ["opened", "reminded", "escalated", "breached"]
    await ok(running, "POST", f"/v1/handoffs/{handoff['handoff_id']}/acceptances")
    late = await the_one(running)
    assert (late["state"], late["outcome"], late["breached_at"]) == (
        "closed",
        "fulfilled",
        found["breached_at"],
    )
    assert (await running.outbox())[-1][1]["breached"] is True


async def test_an_escalation_with_nobody_above_says_so(running: Collab):
    await hand_over(running, ROOT)
    await tick(running, DUE)
    _, escalate, breach = (await the_one(running, state="breached"))["steps"]
    assert (escalate["state"], escalate["told_rep_id"], escalate["untold_because"]) == (
        "taken",
        None,
        "nobody-above",
    )
    assert breach["untold_because"] is None
    (event,) = (data for kind, data in await running.outbox() if kind == "collab.obligation.escalated.v1")
    assert (event["rep_id"], event["untold_because"]) == (None, "nobody-above")


async def test_steps_wait_while_the_tree_of_a_new_plan_is_on_its_way(running: Collab):
    """Who is above is not known then; nobody would be told."""
    await hand_over(running)
    await running.feed(activated(uuid4(), uuid4(), 2))
    assert await tick(running, DUE) == 0
    await running.go_live(sequence=3)
    assert await tick(running, DUE) == 3
    assert (await the_one(running, state="breached"))["steps"][1]["told_rep_id"] == str(BOSS)


async def test_a_worker_that_slept_takes_every_step_in_order(running: Collab):
    await hand_over(running)
    assert await tick(running, DUE + timedelta(days=3)) == 3
    assert await told(running) == ["opened", "reminded", "escalated", "breached"]


async def test_a_reminder_goes_to_whoever_covers_the_territory_then(running: Collab):
    await hand_over(running, EAST)
    assert (await the_one(running))["rep_id"] is None
    await running.feed(covers(OTHER, EAST))
    await tick(running, DUE - timedelta(hours=1))
    assert (await the_one(running))["steps"][0]["told_rep_id"] == str(OTHER)


@pytest.mark.parametrize(("way", "outcome"), [("reject", "declined"), ("move", "withdrawn")])
async def test_a_rejection_and_a_move_end_the_clock_too(running: Collab, way: str, outcome: str):
    account, handoff = await hand_over(running)
    if way == "reject":
        await ok(running, "POST", f"/v1/handoffs/{handoff['handoff_id']}/rejections", {"reason": "No."})
    else:
        await running.feed(aligned(account, NORTH_CITY, SOUTH, uuid4()), version=2)
    (found,) = await owed(running, account_id=account)
    assert (found["state"], found["outcome"]) == ("closed", outcome)
    assert await tick(running, DUE) == 0


async def test_there_and_back_in_one_batch_leaves_nothing_owed(running: Collab):
    account = uuid4()
    await running.feed(aligned(account, SOUTH, NORTH, uuid4()), aligned(account, NORTH, SOUTH, uuid4()))
    assert [one["outcome"] for one in await owed(running, account_id=account)] == ["withdrawn"]


async def test_a_customer_who_contacts_us_is_answered_in_a_business_day(running: Collab):
    account = uuid4()
    await running.feed(aligned(account, None, NORTH_CITY, uuid4()))
    contact = {"kind": "received", "channel": "phone", "purpose": "service"}
    await ok(running, "POST", f"/v1/accounts/{account}/consents", {"level": "global", "state": "denied"}, 201)
    logged = await ok(running, "POST", f"/v1/accounts/{account}/contacts", contact, 201)
    assert logged["reason"] is None
    found = await the_one(running, subject_id=logged["contact_id"])
    assert (found["duty"], found["due_at"], found["rep_id"]) == ("answer", "2026-11-24T17:00:00Z", str(REP))
    # Whatever they said before, the answer they wait for may be given where they asked; nothing else may.
    url = f"/v1/accounts/{account}/contacts"
    for other in ({"purpose": "sales"}, {"channel": "email"}, {"contact_point": "phone-7"}):
        refused = await send(running, "POST", url, {**contact, "kind": "made", **other})
        assert (refused.status_code, refused.json()["reason"]) == (409, "global-denied")
    asked = await ok(running, "GET", f"/v1/accounts/{account}/contactability?channel=phone&purpose=service")
    assert (asked["decision"], asked["reason"], asked["consent_id"]) == ("allow", "answers-customer", None)
    # The account moves on: so does what it waits for, and its clock goes on.
    await running.feed(aligned(account, NORTH_CITY, EAST, None), version=2)
    moved = await the_one(running, subject_id=logged["contact_id"])
    assert (moved["territory_id"], moved["due_at"]) == (str(EAST), found["due_at"])
    # What is late is owed still, and so may be given. Once it is, the customer's no decides again.
    await tick(running, DUE)
    answer = await ok(running, "POST", url, {**contact, "kind": "made"}, 201)
    assert answer["reason"] == "answers-customer"
    closed = await the_one(running, subject_id=logged["contact_id"])
    assert (closed["state"], closed["outcome"]) == ("closed", "fulfilled")
    refused = await send(running, "POST", url, {**contact, "kind": "made"})
    assert (refused.status_code, refused.json()["reason"]) == (409, "global-denied")


async def test_the_next_contact_made_is_the_answer_an_earlier_one_is_not(running: Collab):
    account = uuid4()
    await running.feed(aligned(account, None, NORTH_CITY, uuid4()))
    url = f"/v1/accounts/{account}/contacts"
    contact = {"channel": "phone", "purpose": "service"}
    await ok(running, "POST", url, {**contact, "kind": "received"}, 201)
    earlier = (A_MONDAY - timedelta(hours=1)).isoformat()
    await ok(running, "POST", url, {**contact, "kind": "made", "at": earlier}, 201)
    await ok(running, "POST", url, {**contact, "kind": "planned"}, 201)
    assert [one["state"] for one in await owed(running)] == ["open"]
    await ok(running, "POST", url, {**contact, "kind": "made"}, 201)
    assert [(one["state"], one["outcome"]) for one in await owed(running)] == [("closed", "fulfilled")]
    ahead = {**contact, "kind": "received", "at": (A_MONDAY + timedelta(hours=1)).isoformat()}
    assert (await send(running, "POST", url, ahead)).json()["code"] == "contact-ahead"


async def test_three_workers_take_each_step_once(running: Collab):
    for _ in range(8):
        await hand_over(running)
    running.clock.move_to(DUE)
    taken = await asyncio.gather(*(running.transact(take_steps, TakeSteps(limit=5)) for _ in range(3)))
    while await running.transact(take_steps, TakeSteps()):
        pass
    assert sum(taken) > 0
    kinds = await told(running)
    assert {kind: kinds.count(kind) for kind in set(kinds)} == dict.fromkeys(
        ("opened", "reminded", "escalated", "breached"), 8
    )


async def test_a_worker_that_dies_before_its_commit_has_taken_no_step(running: Collab):
    await hand_over(running)
    running.clock.move_to(DUE)

    async def die(command: TakeSteps, uow: UnitOfWork) -> None:
        assert await take_steps(command, uow) == 3
        raise SystemExit

    with pytest.raises(SystemExit):
        await running.transact(die, TakeSteps())
    assert await told(running) == ["opened"]
    assert await running.transact(take_steps, TakeSteps()) == 3
    assert await told(running) == ["opened", "reminded", "escalated", "breached"]


async def test_acceptance_and_deadline_at_once_leave_one_truth(running: Collab):
    """Whoever comes first: a step is told before the end, or never."""
    for _ in range(6):
        _, handoff = await hand_over(running)
        running.clock.move_to(DUE + timedelta(days=14))
        url = f"/v1/handoffs/{handoff['handoff_id']}/acceptances"
        await asyncio.gather(running.transact(take_steps, TakeSteps()), ok(running, "POST", url))
        found = await the_one(running, subject_id=handoff["handoff_id"])
        states = {step["state"] for step in found["steps"]}
        assert (states, found["breached_at"] is None) in [({"taken"}, False), ({"cancelled"}, True)]
        events = [
            kind.split(".")[2]
            for kind, payload in await running.outbox()
            if payload.get("obligation_id") == found["obligation_id"]
        ]
        assert (events[0], events[-1]) == ("opened", "closed")
        assert await running.transact(take_steps, TakeSteps()) == 0


async def test_the_worker_takes_steps_until_it_is_stopped(running: Collab):
    await hand_over(running)
    running.clock.move_to(DUE)
    stopping = asyncio.Event()
    working = asyncio.create_task(run_protocols(running.transact, stopping))

    async def breached() -> bool:
        return "breached" in await told(running)

    await eventually(breached)
    stopping.set()
    await working


async def test_a_change_is_a_new_version_and_what_is_owed_keeps_its_own(running: Collab):
    await hand_over(running)
    answer = await send(running, "GET", "/v1/protocols/handoff-acceptance")
    body = {
        "name": "In four hours",
        "trigger": "handoff-opened",
        "due": {"amount": 4, "unit": "hours"},
        "steps": [{"action": "breach"}],
    }
    url = "/v1/protocols/handoff-acceptance"
    assert (await send(running, "PUT", url, body)).status_code == 428
    headers = {**running.as_("admin"), "if-match": answer.headers["etag"]}
    changed = await running.http.put(url, json=body, headers=headers)
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert (await running.http.put(url, json=body, headers=headers)).status_code == 412
    await hand_over(running)
    first, second = await owed(running)
    assert (first["protocol_version"], first["due_at"]) == (1, "2026-11-25T17:00:00Z")
    assert (second["protocol_version"], second["due_at"]) == (2, "2026-11-23T13:00:00Z")
    off = {**body, "active": False}
    headers = {**running.as_("admin"), "if-match": '"2"'}
    assert (await running.http.put(url, json=off, headers=headers)).json()["active"] is False
    await hand_over(running)
    assert len(await owed(running)) == 2


async def test_deadlines_count_in_the_calendar_they_name(running: Collab):
    berlin = {
        "time_zone": "Europe/Berlin",
        "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "to": "16:00"}],
        "holidays": ["2026-11-24"],
    }
    made = await ok(running, "PUT", "/v1/calendars/berlin", berlin)
    assert (made["hours"], made["version"]) == (berlin["hours"], 1)
    assert (await ok(running, "GET", "/v1/calendars/berlin")) == made
    assert [one["code"] for one in (await ok(running, "GET", "/v1/calendars"))["items"]] == [
        "business",
        "berlin",
    ]
    assert (await send(running, "PUT", "/v1/calendars/berlin", berlin)).status_code == 428
    body = {
        "name": "Also in Berlin",
        "trigger": "handoff-opened",
        "due": {"amount": 1, "unit": "days"},
        "calendar_code": "berlin",
        "steps": [{"action": "breach"}],
    }
    await ok(running, "PUT", "/v1/protocols/berlin", body)
    await hand_over(running)
    due = {one["protocol_code"]: one["due_at"] for one in await owed(running)}
    assert due == {"handoff-acceptance": "2026-11-25T17:00:00Z", "berlin": "2026-11-25T15:00:00Z"}


async def test_only_what_lies_in_the_scope_is_seen(running: Collab):
    for target in (NORTH_CITY, EAST, NORTH):
        await hand_over(running, target)
    for roots, places in (
        ([NORTH], {NORTH, NORTH_CITY}),
        ([EAST], {EAST}),
        ([uuid4()], set()),
        ([ROOT], {NORTH, NORTH_CITY, EAST}),
    ):
        headers = running.as_("viewer", territories=roots)
        listed = (await running.http.get("/v1/obligations?limit=2", headers=headers)).json()
        rest = listed["next_cursor"]
        found = listed["items"]
        if rest is not None:
            url = f"/v1/obligations?limit=2&cursor={rest}"
            found += (await running.http.get(url, headers=headers)).json()["items"]
        assert {UUID(one["territory_id"]) for one in found} == places
        for one in await owed(running):
            read = await running.http.get(f"/v1/obligations/{one['obligation_id']}", headers=headers)
            assert (read.status_code == 200) == (UUID(one["territory_id"]) in places)


async def test_the_role_of_a_coverage_is_kept(collab: Collab):
    coverage = covers(REP, NORTH)
    assert isinstance(coverage, CoverageStarted)
    await collab.feed(coverage)
    assert [row.role for row in await collab.rows("SELECT role FROM coverages")] == ["primary"]
