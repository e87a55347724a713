"""Policies: drafted, published in versions that never change, acknowledged by each rep, asked again anew."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collab.policies.commands.ask_reps import AskReps, ask_reps
from services.collab.policies.commands.lock_policy import lock_policy
from services.collab.policies.policy import Policy
from services.collab.policies.worker import ask_for_acknowledgements
from services.collab.protocols.obligations.commands.take_steps import TakeSteps, take_steps
from shared.contracts.assignment import CoverageEnded, TerritoryNode, TreePublished
from shared.db.unit_of_work import UnitOfWork
from shared.testing.frozen_clock import A_MONDAY
from shared.testing.waiting import eventually
from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, ROOT, SOUTH, Collab, activated
from tests.service.collab.school import covers, ok, send

ANN, BEN, CEM = UUID(int=0xA1), UUID(int=0xA2), UUID(int=0xA3)
URL = "/v1/policies/calls"
TEXT = {"title": "Calls", "text": "Answer within a day."}
BUSINESS = {
    "time_zone": "UTC",
    "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
}
ACKNOWLEDGED_IN_A_DAY = {
    "name": "A policy is acknowledged in a business day",
    "trigger": "policy-published",
    "due": {"amount": 1, "unit": "days"},
    "steps": [
        {"action": "remind", "after": {"amount": 4, "unit": "hours"}},
        {"action": "escalate"},
        {"action": "breach"},
    ],
}


@pytest.fixture
async def team(collab: Collab) -> Collab:
    """Ann covers the north's city and the east, Ben the south, Cem the root; policies are due in a day."""
    await collab.go_live()
    await collab.feed(
        covers(ANN, NORTH_CITY), covers(ANN, EAST), covers(BEN, SOUTH), coverage_of_cem := covers(CEM, ROOT)
    )
    assert coverage_of_cem.rep_id == CEM
    await ok(collab, "PUT", "/v1/calendars/business", BUSINESS)
    await ok(collab, "PUT", "/v1/protocols/acknowledgement", ACKNOWLEDGED_IN_A_DAY)
    return collab


async def draft(collab: Collab, **more: Any) -> str:
    """Put a draft and return its ETag."""
    standing = await send(collab, "GET", URL)
    headers = collab.as_("admin")
    if standing.status_code == 200:
        headers["if-match"] = standing.headers["etag"]
    answer = await collab.http.put(f"{URL}/draft", json={**TEXT, **more}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


async def publish(collab: Collab, **more: Any) -> dict[str, Any]:
    tag = await draft(collab, **more)
    headers = {**collab.as_("admin"), "if-match": tag}
    answer = await collab.http.post(f"{URL}/publications", headers=headers)
    assert answer.status_code == 201, answer.text
    published: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{URL}/versions/{published['version']}"
    return published


async def acknowledge(collab: Collab, rep: UUID, version: dict[str, Any], **more: Any) -> Any:
    headers = collab.as_("contributor", subject=str(rep), territories=[uuid4()])
    body = {"fingerprint": version["fingerprint"], **more}
    url = f"{URL}/versions/{version['version']}/acknowledgements"
    return await collab.http.post(url, json=body, headers=headers)


async def outstanding(collab: Collab, **caller: Any) -> set[UUID]:
    headers = collab.as_("viewer", **caller)
    found, cursor = set(), ""
    while True:
        page = await collab.http.get(f"{URL}/outstanding-acknowledgements?limit=1{cursor}", headers=headers)
        assert page.status_code == 200, page.text
        found |= {UUID(one["rep_id"]) for one in page.json()["items"]}
        if page.json()["next_cursor"] is None:
            return found
        cursor = f"&cursor={page.json()['next_cursor']}"


async def owed(collab: Collab) -> dict[UUID, tuple[str, str | None]]:
    """Return how the latest obligation of each rep stands."""
    items = (await ok(collab, "GET", "/v1/obligations"))["items"]
    assert {(one["duty"], one["account_id"]) for one in items} <= {("acknowledge", None)}
    return {UUID(one["rep_id"]): (one["state"], one["outcome"]) for one in items}


async def ask(collab: Collab) -> int:
    return await collab.transact(ask_reps, AskReps())


async def told(collab: Collab) -> list[str]:
    return [kind.split(".", 1)[1] for kind, _ in await collab.outbox()]


async def test_each_rep_acknowledges_a_version_and_a_new_one_asks_again(team: Collab):
    first = await publish(team)
    assert (first["version"], first["in_force"]) == (1, True)
    assert await outstanding(team) == {ANN, BEN, CEM}
    answer = await acknowledge(team, ANN, first)
    assert (answer.status_code, answer.json()["rep_id"]) == (200, str(ANN))
    again = await acknowledge(team, ANN, first)
    assert again.json() == answer.json()
    assert await outstanding(team) == {BEN, CEM}
    listed = await ok(team, "GET", f"{URL}/versions/1/acknowledgements")
    assert listed["items"] == [answer.json()]
    assert await told(team) == ["policy.published.v1", "policy.acknowledged.v1"]

    second = await publish(team, text="Answer within an hour.")
    assert second["version"] == 2
    assert await outstanding(team) == {ANN, BEN, CEM}
    late = await acknowledge(team, BEN, first)
    assert (late.status_code, late.json()["code"]) == (409, "version-replaced")
    # What was published stays word for word, and so does who acknowledged it.
    assert (await ok(team, "GET", f"{URL}/versions/1"))["text"] == TEXT["text"]
    assert await ok(team, "GET", f"{URL}/versions/1/acknowledgements") == listed


async def test_a_draft_shows_to_administrators_only_and_leaves_what_is_published(team: Collab):
    tag = await draft(team)
    assert tag == '"1"'
    assert (await send(team, "GET", f"{URL}/draft")).json()["text"] == TEXT["text"]
    assert (await send(team, "GET", f"{URL}/draft", roles=("manager",))).status_code == 403
    assert (await ok(team, "GET", URL))["latest_version"] is None
    assert (await send(team, "PUT", f"{URL}/draft", TEXT)).status_code == 428
    headers = team.as_("admin")
    unguarded = await team.http.post(f"{URL}/publications", headers=headers)
    assert unguarded.status_code == 428
    await draft(team, text="Answer within two days.")
    headers["if-match"] = tag
    assert (await team.http.post(f"{URL}/publications", headers=headers)).status_code == 412
    published = await publish(team)
    await draft(team, text="Never answer.")
    assert await ok(team, "GET", f"{URL}/versions/1") == published
    assert (await ok(team, "GET", URL))["has_draft"] is True


async def test_what_takes_effect_later_is_not_in_force_yet(team: Collab):
    later = A_MONDAY + timedelta(days=7)
    await publish(team)
    second = await publish(team, text="Later.", effective_from=later.isoformat())
    assert second["in_force"] is False
    standing = await ok(team, "GET", URL)
    assert (standing["latest_version"], standing["version_in_force"]) == (2, 1)
    # It is acknowledged before it takes effect.
    assert (await acknowledge(team, ANN, second)).status_code == 200
    tag = await draft(team, text="Sooner.")
    headers = {**team.as_("admin"), "if-match": tag}
    refused = await team.http.post(f"{URL}/publications", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "effective-too-early")
    team.clock.move_to(later)
    versions = (await ok(team, "GET", f"{URL}/versions"))["items"]
    assert [(one["version"], one["in_force"]) for one in versions] == [(1, False), (2, True)]


async def test_what_is_told_to_be_in_force_is_what_the_policy_says(team: Collab):
    """At every moment around those at which versions take effect; two of them do so at the same one."""
    for text, days in (("one", 1), ("two", 3), ("instead of two", 3), ("three", 5)):
        await publish(team, text=text, effective_from=(A_MONDAY + timedelta(days=days)).isoformat())

    async def locked(code: str, uow: UnitOfWork) -> Policy:
        return (await lock_policy(code, uow))[2]

    for hours in range(0, 6 * 24, 12):
        team.clock.move_to(A_MONDAY + timedelta(hours=hours))
        now = (await team.transact(locked, "calls")).in_force(team.clock.now())
        told = (await ok(team, "GET", URL))["version_in_force"]
        assert told == (None if now is None else now.version)
        versions = (await ok(team, "GET", f"{URL}/versions"))["items"]
        assert [one["version"] for one in versions if one["in_force"]] == ([told] if told else [])
    assert told == 4


async def test_what_is_in_force_is_owed_until_what_was_scheduled_takes_effect(team: Collab):
    later = A_MONDAY + timedelta(days=7)
    first = await publish(team)
    assert await ask(team) == 3
    second = await publish(team, text="Later.", effective_from=later.isoformat(), territory_id=str(NORTH))
    # Of the first nothing is let off; the second is owed besides, by whom it will concern.
    assert await ask(team) == 1
    states = [one["state"] for one in (await ok(team, "GET", "/v1/obligations"))["items"]]
    assert states == ["open"] * 4

    async def owes() -> dict[UUID, list[int]]:
        items = (await ok(team, "GET", f"{URL}/outstanding-acknowledgements"))["items"]
        return {UUID(one["rep_id"]): one["versions"] for one in items}

    assert await owes() == {ANN: [1, 2], BEN: [1], CEM: [1]}
    assert (await acknowledge(team, BEN, second)).json()["code"] == "not-asked"
    for version, left in ((second, [1]), (first, None)):
        assert (await acknowledge(team, ANN, version)).status_code == 200
        assert (await owes()).get(ANN) == left
    assert await ask(team) == 0
    team.clock.move_to(later)
    assert (await acknowledge(team, BEN, first)).json()["code"] == "version-replaced"
    assert await ask(team) == 0
    assert await owes() == {}
    assert await owed(team) == {
        ANN: ("closed", "fulfilled"),
        BEN: ("closed", "withdrawn"),
        CEM: ("closed", "withdrawn"),
    }


@pytest.mark.parametrize(
    ("audience", "asked"),
    [
        ({"territory_id": str(NORTH)}, {ANN}),
        ({"territory_id": str(ROOT)}, {ANN, BEN, CEM}),
        ({"roles": ["primary"]}, {ANN, BEN, CEM}),
        ({"roles": ["overlay"]}, set()),
    ],
)
async def test_it_concerns_reps_by_role_and_subtree(team: Collab, audience: dict, asked: set[UUID]):
    version = await publish(team, **audience)
    assert await outstanding(team) == asked
    for rep in (ANN, BEN, CEM):
        answer = await acknowledge(team, rep, version)
        assert (answer.status_code == 200) == (rep in asked)
        assert rep in asked or answer.json()["code"] == "not-asked"


async def test_only_what_lies_in_the_scope_is_seen_and_oneself(team: Collab):
    version = await publish(team)
    assert await outstanding(team, territories=[NORTH]) == {ANN}
    assert await outstanding(team, territories=[SOUTH]) == {BEN}
    assert await outstanding(team, territories=[uuid4()]) == set()
    assert await outstanding(team, territories=[uuid4()], subject=str(BEN)) == {BEN}
    await acknowledge(team, BEN, version)
    url = f"{URL}/versions/1/acknowledgements"
    for place, seen in ((SOUTH, 1), (NORTH, 0)):
        answer = await team.http.get(url, headers=team.as_("viewer", territories=[place]))
        assert len(answer.json()["items"]) == seen


async def test_who_shows_another_text_has_not_read_this_one(team: Collab):
    version = await publish(team)
    other = await acknowledge(team, ANN, version, fingerprint="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "other-text")
    nobody = await send(team, "POST", f"{URL}/versions/1/acknowledgements", version_of(version))
    assert (nobody.status_code, nobody.json()["code"]) == (409, "not-asked")
    beyond = await acknowledge(team, ANN, {**version, "version": 2})
    assert beyond.status_code == 404
    assert await told(team) == ["policy.published.v1"]


def version_of(version: dict[str, Any]) -> dict[str, Any]:
    return {"fingerprint": version["fingerprint"]}


async def test_who_is_concerned_owes_it_until_it_is_acknowledged(team: Collab):
    first = await publish(team)
    assert await ask(team) == 3
    assert await ask(team) == 0
    assert await owed(team) == dict.fromkeys((ANN, BEN, CEM), ("open", None))
    await acknowledge(team, ANN, first)
    assert (await owed(team))[ANN] == ("closed", "fulfilled")
    team.clock.move_to(A_MONDAY + timedelta(days=2))
    assert await team.transact(take_steps, TakeSteps()) == 6
    late = await owed(team)
    assert (late[BEN], late[ANN]) == (("breached", None), ("closed", "fulfilled"))
    escalated = [data for kind, data in await team.outbox() if kind == "collab.obligation.escalated.v1"]
    reminded = [data for kind, data in await team.outbox() if kind == "collab.obligation.reminded.v1"]
    assert {data["rep_id"] for data in reminded} == {str(BEN), str(CEM)}
    assert {data["rep_id"] for data in escalated} == {str(CEM), None}
    # The next version: what was owed of the first is not any more, everybody owes the second.
    await publish(team, text="Answer within an hour.")
    assert await ask(team) == 3
    assert await owed(team) == dict.fromkeys((ANN, BEN, CEM), ("open", None))


async def test_who_comes_is_asked_and_who_goes_is_let_off(team: Collab):
    await publish(team, territory_id=str(SOUTH))
    assert await ask(team) == 1
    (coverage,) = await team.rows("SELECT coverage_id FROM coverages WHERE rep_id = :rep", rep=BEN)
    ended = CoverageEnded(
        coverage_id=coverage.coverage_id,
        territory_id=SOUTH,
        rep_id=BEN,
        role="primary",
        valid_to=A_MONDAY,
    )
    await team.feed(ended, version=2)
    await team.feed(covers(CEM, SOUTH), version=3)
    assert await ask(team) == 1
    assert await owed(team) == {BEN: ("closed", "withdrawn"), CEM: ("open", None)}
    assert await outstanding(team) == {CEM}


async def test_nobody_is_let_off_while_the_tree_of_a_new_plan_is_on_its_way(team: Collab):
    await publish(team, territory_id=str(NORTH))
    await ask(team)
    (before,) = (await ok(team, "GET", "/v1/obligations"))["items"]
    plan, tree = uuid4(), uuid4()
    await team.feed(activated(plan, tree, 2))
    assert await outstanding(team) == set()
    assert await ask(team) == 0
    assert (await ok(team, "GET", "/v1/obligations"))["items"] == [before]
    # By the tree that then comes, the city lies in the north no more.
    nodes = tuple(
        TerritoryNode(territory_id=territory, parent_id=parent, kind="geographic")
        for territory, parent in ((ROOT, None), (NORTH, ROOT), (NORTH_CITY, ROOT))
    )
    await team.feed(TreePublished(plan_id=plan, tree_id=tree, territories=nodes))
    assert await ask(team) == 0
    assert await owed(team) == {ANN: ("closed", "withdrawn")}


async def test_asking_and_acknowledging_at_once_leave_nothing_owed(team: Collab):
    version = await publish(team)
    await asyncio.gather(*(ask(team) for _ in range(3)), *(acknowledge(team, r, version) for r in (ANN, BEN)))
    await ask(team)
    standing = await owed(team)
    assert standing.pop(CEM) == ("open", None)
    assert set(standing.values()) <= {("closed", "fulfilled")}
    assert await outstanding(team) == {CEM}


async def test_the_worker_asks_until_it_is_stopped(team: Collab):
    await publish(team)
    stopping = asyncio.Event()
    working = asyncio.create_task(ask_for_acknowledgements(team.transact, stopping))

    async def all_asked() -> bool:
        return len(await owed(team)) == 3

    await eventually(all_asked)
    stopping.set()
    await working


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"title": "x"}, "text"),
        ({**TEXT, "roles": ["Not a role"]}, "roles"),
        ({**TEXT, "roles": ["primary", "ceo"]}, "roles"),
        ({**TEXT, "effective_from": 5}, "effective_from"),
        ({**TEXT, "territory_id": str(uuid4())}, "territory_id"),
        ({**TEXT, "until": "x"}, "until"),
    ],
)
async def test_bad_input_is_told_by_field_and_nothing_is_written(team: Collab, body: dict, named: str):
    answer = await send(team, "PUT", f"{URL}/draft", body)
    assert answer.status_code == 422
    assert named in answer.text
    assert (await send(team, "GET", URL)).status_code == 404


async def test_nothing_drafted_is_nothing_to_publish(team: Collab):
    await publish(team)
    headers = {**team.as_("admin"), "if-match": (await send(team, "GET", URL)).headers["etag"]}
    answer = await team.http.post(f"{URL}/publications", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-publish")
    assert (await send(team, "GET", f"{URL}/draft")).status_code == 404
    assert (await send(team, "PUT", f"{URL}/draft", TEXT, roles=("manager",))).status_code == 403
