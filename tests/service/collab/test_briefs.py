"""Who gets to see the figures and the number of notes of an account that was handed over."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from shared.contracts.metrics import AccountFigures, AccountState
from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import EAST, NORTH, SOUTH, Collab, aligned

WITHHELD = "account-outside-scope"


async def _move(collab: Collab, account: UUID, version: int, source: UUID, target: UUID | None) -> None:
    await collab.feed(aligned(account, source, target, uuid4()), version=version)


async def _handed_over(collab: Collab) -> tuple[UUID, str]:
    """An account with figures and a note goes from north to south; return it and its handoff's address."""
    account = uuid4()
    await collab.go_live()
    await collab.feed(aligned(account, None, NORTH, uuid4()))
    await _move(collab, account, 2, NORTH, SOUTH)
    figures = (AccountFigures(currency="EUR", trailing_revenue="7", open_pipeline="9"),)
    await collab.feed(AccountState(account_id=account, as_of=A_MONDAY, figures=figures))
    admin = collab.as_("admin")
    note = {"subject": {"type": "account", "id": str(account)}, "body": "Hi"}
    assert (await collab.http.post("/v1/notes", json=note, headers=admin)).status_code == 201
    (handoff,) = (await collab.http.get("/v1/handoffs", headers=admin)).json()["items"]
    return account, f"/v1/handoffs/{handoff['handoff_id']}"


async def _seen(collab: Collab, url: str, side: UUID | str) -> tuple[bool, str | None, int]:
    """Return whether the figures are shown, why not, and the number of notes."""
    headers = collab.as_("viewer", territories=side if side == "*" else [side])
    answer = await collab.http.get(url, headers=headers)
    assert answer.status_code == 200
    brief = answer.json()["brief"]
    shown = brief["figures"] is not None and bool(brief["figures"]["by_currency"])
    assert shown == (brief["figures"] is not None)
    return shown, brief["figures_withheld"], brief["notes"]


async def _close(collab: Collab, url: str, how: str) -> None:
    admin = collab.as_("admin")
    if how == "rejected":
        answer = await collab.http.post(f"{url}/rejections", json={"reason": "No."}, headers=admin)
    else:
        answer = await collab.http.post(f"{url}/acceptances", headers=admin)
    assert answer.status_code == 200
    if how == "done":
        for item in answer.json()["checklist"]:
            path = f"{url}/checklist/{item['item']}"
            await collab.http.put(path, json={"done": True}, headers=admin)
        assert (await collab.http.post(f"{url}/completions", headers=admin)).status_code == 200


async def test_the_outgoing_side_sees_the_figures_while_it_owes_the_handoff(collab: Collab):
    _, url = await _handed_over(collab)
    assert await _seen(collab, url, NORTH) == (True, None, 0)
    await _close(collab, url, "accepted")
    assert await _seen(collab, url, NORTH) == (True, None, 0)
    assert await _seen(collab, url, SOUTH) == (True, None, 1)


@pytest.mark.parametrize("how", ["done", "rejected"])
async def test_afterwards_only_who_has_the_account_sees_them(collab: Collab, how: str):
    account, url = await _handed_over(collab)
    await _close(collab, url, how)
    assert await _seen(collab, url, NORTH) == (False, WITHHELD, 0)
    assert await _seen(collab, url, SOUTH) == (True, None, 1)
    assert await _seen(collab, url, "*") == (True, None, 1)
    await _move(collab, account, 3, SOUTH, NORTH)
    assert await _seen(collab, url, NORTH) == (True, None, 1)
    assert await _seen(collab, url, SOUTH) == (False, WITHHELD, 0)


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("target", [EAST, None])
async def test_a_superseded_handoff_shows_nothing_to_sides_that_lost_the_account(
    collab: Collab, target: UUID | None, *, accepted: bool
):
    account, url = await _handed_over(collab)
    if accepted:
        await _close(collab, url, "accepted")
    await _move(collab, account, 3, SOUTH, target)
    for side in (NORTH, SOUTH):
        assert await _seen(collab, url, side) == (False, WITHHELD, 0)
    assert await _seen(collab, url, "*") == (True, None, 1)


async def test_a_handoff_on_its_way_shows_nothing_of_an_account_that_is_elsewhere(collab: Collab):
    """Its move is told by an event; until then no state is relied on."""
    account, url = await _handed_over(collab)
    await _close(collab, url, "accepted")
    async with collab.engine.begin() as connection:
        moved = text("UPDATE current_alignments SET territory_id = :east WHERE account_id = :account")
        await connection.execute(moved, {"east": EAST, "account": account})
    for side in (NORTH, SOUTH):
        assert await _seen(collab, url, side) == (False, WITHHELD, 0)
