"""Needs as their account changes hands: who looks after them, and what is said when nobody does."""

from uuid import UUID, uuid4

import pytest

from tests.service.collab.conftest import NORTH, ROOT, SOUTH, Collab, aligned
from tests.service.collab.school import covers
from tests.service.collab.test_customers import REP, add_need, change, get, of, post


@pytest.fixture
async def account(collab: Collab) -> UUID:
    """An account of the north."""
    found = uuid4()
    await collab.go_live()
    await collab.feed(aligned(found, None, NORTH, uuid4()))
    return found


@pytest.mark.parametrize("name", ["status", "drop_reason"])
async def test_what_a_need_must_have_cannot_be_set_to_null(collab: Collab, account: UUID, name: str):
    need = await add_need(collab, account)
    status, refused = await change(collab, need, **{name: None})
    assert (status, refused["code"]) == (422, "invalid-request")
    assert f"{name}: cannot be null" in refused["detail"]


async def test_accepting_a_handoff_takes_over_the_needs_that_the_rep_before_looked_after(
    collab: Collab, account: UUID
):
    other, elsewhere = uuid4(), uuid4()
    await collab.feed(covers(REP, NORTH), covers(other, SOUTH))
    mine = await add_need(collab, account)
    somebodys = await add_need(collab, account, owner_rep_id=str(elsewhere))
    dropped = await add_need(collab, account)
    await change(collab, dropped, status="dropped", drop_reason="withdrawn")

    async def owners() -> dict[str, str]:
        needs = (await get(collab, of(account, "/needs")))["items"]
        return {need["need_id"]: need["owner_rep_id"] for need in needs}

    async def left() -> list[str]:
        steps = (await get(collab, of(account, "/next-steps")))["items"]
        return sorted(step["subject_id"] for step in steps if step["code"] == "need-owner-left")

    assert await left() == [somebodys["need_id"]]
    await collab.feed(aligned(account, NORTH, SOUTH, uuid4()), version=2)
    # Until it is accepted, whoever knows the customer looks after what was promised.
    assert (await owners())[mine["need_id"]] == str(REP)
    assert await left() == sorted([mine["need_id"], somebodys["need_id"]])
    (handoff,) = (await get(collab, "/v1/handoffs"))["items"]
    await post(collab, f"/v1/handoffs/{handoff['handoff_id']}/acceptances", None, 200)
    assert await owners() == {
        mine["need_id"]: str(other),
        somebodys["need_id"]: str(elsewhere),
        dropped["need_id"]: str(REP),
    }
    assert await left() == [somebodys["need_id"]]
    stale, _ = await change(collab, mine, text="What I read before.")
    assert stale == 412


async def test_whoever_covers_a_territory_above_has_not_left(collab: Collab, account: UUID):
    boss = uuid4()
    await collab.feed(covers(boss, ROOT))
    await add_need(collab, account, owner_rep_id=str(boss))
    steps = (await get(collab, of(account, "/next-steps")))["items"]
    assert "need-owner-left" not in [step["code"] for step in steps]
