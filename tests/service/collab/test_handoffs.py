"""Handoffs: opened by moves, decided by people, seen from either side."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from shared.contracts.assignment import CoverageStarted
from shared.contracts.metrics import AccountFigures, AccountState
from shared.testing.frozen_clock import A_MONDAY
from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, SOUTH, Collab, activated, aligned

ADMIN = ("admin",)


async def _opened(collab: Collab, source: UUID = NORTH, target: UUID = SOUTH) -> dict:
    account, activation = uuid4(), uuid4()
    await collab.go_live()
    await collab.feed(aligned(account, None, source, uuid4()), aligned(account, source, target, activation))
    answer = await collab.http.get("/v1/handoffs", headers=collab.as_("admin"))
    (handoff,) = answer.json()["items"]
    assert handoff["activation_id"] == str(activation)
    return handoff


async def _handoffs(collab: Collab, account: UUID) -> list[dict]:
    answer = await collab.http.get(f"/v1/handoffs?account_id={account}", headers=collab.as_("viewer"))
    return answer.json()["items"]


async def _announced(collab: Collab) -> list[tuple[str, dict]]:
    return [event for event in await collab.outbox() if event[0].startswith("collab.handoff")]


async def test_a_first_alignment_and_an_import_open_nothing(collab: Collab):
    account = uuid4()
    await collab.feed(
        aligned(account, None, NORTH, uuid4()),
        aligned(account, NORTH, SOUTH, None),
        aligned(account, SOUTH, None, uuid4()),
    )
    assert await _handoffs(collab, account) == []
    assert await collab.outbox() == []


async def test_a_move_opens_one_handoff_and_announces_it(collab: Collab):
    account, activation = uuid4(), uuid4()
    await collab.feed(aligned(account, NORTH, SOUTH, activation))
    (handoff,) = await _handoffs(collab, account)
    assert (handoff["state"], handoff["version"]) == ("sent", 1)
    assert handoff["outgoing"] == {"territory_id": str(NORTH), "rep_id": None}
    ((kind, payload),) = await _announced(collab)
    assert kind == "collab.handoff.opened.v1"
    assert payload["handoff_id"] == handoff["handoff_id"]
    assert payload["to_territory_id"] == str(SOUTH)


async def test_an_event_that_was_applied_before_changes_nothing(collab: Collab):
    account, activation = uuid4(), uuid4()
    for _ in range(2):
        await collab.feed(aligned(account, NORTH, SOUTH, activation))
    assert len(await _handoffs(collab, account)) == 1
    assert len(await _announced(collab)) == 1


async def test_there_and_back_leaves_one_superseded_and_none_open(collab: Collab):
    """In one batch or in two, the result is the same."""
    for together in (True, False):
        account = uuid4()
        there = aligned(account, NORTH, SOUTH, uuid4())
        back = aligned(account, SOUTH, NORTH, uuid4())
        if together:
            await collab.feed(there, back)
        else:
            await collab.feed(there)
            await collab.feed(back, version=2)
        (handoff,) = await _handoffs(collab, account)
        assert handoff["state"] == "superseded"
        assert handoff["superseded_by_activation_id"] == str(back.activation_id)
        assert [
            kind for kind, payload in await _announced(collab) if payload["account_id"] == str(account)
        ] == [
            "collab.handoff.opened.v1",
            "collab.handoff.superseded.v1",
        ]


async def test_a_move_onward_is_handed_over_by_the_side_that_knows_the_account(collab: Collab):
    account = uuid4()
    await collab.feed(aligned(account, NORTH, SOUTH, uuid4()), aligned(account, SOUTH, EAST, uuid4()))
    first, second = await _handoffs(collab, account)
    assert (first["state"], second["state"]) == ("superseded", "sent")
    assert second["outgoing"]["territory_id"] == str(NORTH)
    assert second["incoming"]["territory_id"] == str(EAST)


@pytest.mark.parametrize("planned", [True, False])
async def test_a_move_supersedes_an_accepted_handoff_and_starts_from_who_accepted(
    collab: Collab, *, planned: bool
):
    handoff = await _opened(collab)
    url = f"/v1/handoffs/{handoff['handoff_id']}"
    assert (await collab.http.post(f"{url}/acceptances", headers=collab.as_("admin"))).status_code == 200
    account, activation = UUID(handoff["account_id"]), uuid4() if planned else None
    await collab.feed(aligned(account, SOUTH, NORTH, activation), version=3)
    found = [
        (h["state"], h["outgoing"]["territory_id"], h["incoming"]["territory_id"])
        for h in await _handoffs(collab, account)
    ]
    back = [("sent", str(SOUTH), str(NORTH))] if planned else []
    assert found == [("superseded", str(NORTH), str(SOUTH)), *back]
    assert (await _announced(collab))[2][0] == "collab.handoff.superseded.v1"
    outgoing = collab.as_("contributor", territories=[NORTH])
    ticked = await collab.http.put(f"{url}/checklist/promises-listed", json={"done": True}, headers=outgoing)
    assert (ticked.status_code, ticked.json()["code"]) == (409, "handoff-closed")


async def test_a_rejected_handoff_waits_for_the_next_move(collab: Collab):
    handoff = await _opened(collab)
    url = f"/v1/handoffs/{handoff['handoff_id']}"
    answer = await collab.http.post(
        f"{url}/rejections", json={"reason": "Not ours."}, headers=collab.as_("admin")
    )
    assert (answer.json()["state"], answer.json()["rejection_reason"]) == ("rejected", "Not ours.")
    account = UUID(handoff["account_id"])
    await collab.feed(aligned(account, SOUTH, EAST, uuid4()), version=3)
    first, second = await _handoffs(collab, account)
    assert first["state"] == "superseded"
    assert (second["outgoing"]["territory_id"], second["state"]) == (str(NORTH), "sent")
    assert not any("Not ours" in str(payload) for _, payload in await collab.outbox())


async def test_from_acceptance_to_completion(collab: Collab):
    handoff = await _opened(collab)
    url, headers = f"/v1/handoffs/{handoff['handoff_id']}", collab.as_("contributor", territories=[SOUTH])
    early = await collab.http.post(f"{url}/completions", headers=headers)
    assert (early.status_code, early.json()["code"]) == (409, "handoff-not-accepted")
    accepted = await collab.http.post(f"{url}/acceptances", headers={**headers, "if-match": '"1"'})
    assert (accepted.status_code, accepted.headers["etag"]) == (200, '"2"')
    again = await collab.http.post(f"{url}/acceptances", headers=headers)
    assert (again.status_code, again.json()["code"]) == (409, "handoff-already-decided")
    stale = await collab.http.post(f"{url}/completions", headers={**headers, "if-match": '"1"'})
    assert stale.status_code == 412
    unfinished = await collab.http.post(f"{url}/completions", headers=headers)
    assert unfinished.json()["code"] == "checklist-incomplete"
    assert len(unfinished.json()["open_items"]) == 4
    for item in unfinished.json()["open_items"]:
        ticked = await collab.http.put(f"{url}/checklist/{item}", json={"done": True}, headers=headers)
        assert ticked.status_code == 200
    repeated = await collab.http.put(f"{url}/checklist/{item}", json={"done": True}, headers=headers)
    assert repeated.headers["etag"] == ticked.headers["etag"]
    unknown = await collab.http.put(f"{url}/checklist/dance", json={"done": True}, headers=headers)
    assert unknown.status_code == 404
    done = await collab.http.post(f"{url}/completions", headers=headers)
    assert (done.status_code, done.json()["state"]) == (200, "done")
    assert [kind for kind, _ in await _announced(collab)] == [
        "collab.handoff.opened.v1",
        "collab.handoff.decided.v1",
        "collab.handoff.completed.v1",
    ]


async def test_each_side_sees_a_handoff_and_only_the_receiving_one_decides(collab: Collab):
    handoff = await _opened(collab, NORTH_CITY, SOUTH)
    url = f"/v1/handoffs/{handoff['handoff_id']}"
    seen = {
        side: (await collab.http.get(url, headers=collab.as_("viewer", territories=[side]))).status_code
        for side in (NORTH, NORTH_CITY, SOUTH, EAST)
    }
    assert seen == {NORTH: 200, NORTH_CITY: 200, SOUTH: 200, EAST: 404}
    outgoing = collab.as_("manager", territories=[NORTH])
    refused = await collab.http.post(f"{url}/acceptances", headers=outgoing)
    assert (refused.status_code, refused.json()["code"]) == (403, "not-the-receiving-side")
    stranger = await collab.http.post(f"{url}/acceptances", headers=collab.as_("manager", territories=[EAST]))
    assert stranger.status_code == 404
    viewer = await collab.http.post(f"{url}/acceptances", headers=collab.as_("viewer"))
    assert viewer.status_code == 403
    for territories, count in (([NORTH], 1), ([EAST], 0)):
        headers = collab.as_("viewer", territories=territories)
        assert len((await collab.http.get("/v1/handoffs", headers=headers)).json()["items"]) == count
        assert (await collab.http.get("/v1/handoffs/summary", headers=headers)).json()["total"] == count


async def test_a_territory_that_moves_in_the_tree_takes_its_handoffs_along(collab: Collab):
    await _opened(collab, NORTH_CITY, SOUTH)
    boss = collab.as_("viewer", territories=[EAST])
    assert (await collab.http.get("/v1/handoffs", headers=boss)).json()["items"] == []
    await collab.go_live({EAST: None, NORTH_CITY: EAST}, sequence=2)
    assert len((await collab.http.get("/v1/handoffs", headers=boss)).json()["items"]) == 1


async def test_an_activation_without_its_tree_shows_scoped_callers_nothing_until_it_arrives(collab: Collab):
    await _opened(collab)
    await collab.feed(activated(uuid4(), uuid4(), 2))
    headers = collab.as_("viewer", territories=[NORTH])
    assert (await collab.http.get("/v1/handoffs", headers=headers)).json()["items"] == []


async def test_an_older_activation_read_late_does_not_win(collab: Collab):
    await collab.go_live(sequence=2)
    await collab.feed(activated(uuid4(), uuid4(), 1))
    assert len(await collab.rows("SELECT 1 FROM live_closure")) == 10


async def test_coverage_that_arrives_after_the_move_shows_up(collab: Collab):
    handoff = await _opened(collab)
    rep = uuid4()
    await collab.feed(
        CoverageStarted(
            coverage_id=uuid4(),
            territory_id=SOUTH,
            rep_id=rep,
            role="primary",
            share_percent=100,
            valid_from=A_MONDAY,
        )
    )
    (seen,) = await _handoffs(collab, UUID(handoff["account_id"]))
    assert seen["incoming"] == {"territory_id": str(SOUTH), "rep_id": str(rep)}


async def test_a_handoff_is_the_primary_reps_whoever_came_later_in_another_role(collab: Collab):
    handoff = await _opened(collab)
    reps = {role: uuid4() for role in ("primary", "backup", "overlay", "holdover")}
    await collab.feed(
        *(
            CoverageStarted(
                coverage_id=uuid4(),
                territory_id=SOUTH,
                rep_id=rep,
                role=role,
                share_percent=100,
                valid_from=A_MONDAY - timedelta(days=9 - later),
            )
            for later, (role, rep) in enumerate(reps.items())
        )
    )
    (seen,) = await _handoffs(collab, UUID(handoff["account_id"]))
    assert seen["incoming"]["rep_id"] == str(reps["primary"])


async def test_the_brief_tells_the_figures_and_counts_the_notes(collab: Collab):
    handoff = await _opened(collab)
    account = handoff["account_id"]
    url, headers = f"/v1/handoffs/{handoff['handoff_id']}", collab.as_("admin")
    empty = (await collab.http.get(url, headers=headers)).json()["brief"]
    customer = empty.pop("customer")
    assert (customer["account_id"], customer["completeness"]["score_percent"]) == (account, 0)
    assert empty == {
        "figures": {"as_of": None, "by_currency": []},
        "figures_withheld": None,
        "notes": 0,
    }
    figures = (AccountFigures(currency="EUR", trailing_revenue="1234.50", open_pipeline="99"),)
    await collab.feed(AccountState(account_id=account, as_of=A_MONDAY, figures=figures))
    for subject in ({"type": "account", "id": account}, {"type": "handoff", "id": handoff["handoff_id"]}):
        written = await collab.http.post(
            "/v1/notes", json={"subject": subject, "body": "Hi"}, headers=headers
        )
        assert written.status_code == 201
    answer = await collab.http.get(url, headers=headers)
    assert answer.headers["etag"] == '"1"'
    brief = answer.json()["brief"]
    assert brief.pop("customer") == customer
    assert brief == {
        "figures": {
            "as_of": "2026-11-23T09:00:00Z",
            "by_currency": [
                {"currency": "EUR", "trailing_revenue": "1234.50", "open_pipeline": "99"},
            ],
        },
        "figures_withheld": None,
        "notes": 2,
    }


async def test_pages_neither_skip_nor_repeat(collab: Collab):
    await collab.go_live()
    await collab.feed(*(aligned(uuid4(), NORTH, SOUTH, uuid4()) for _ in range(25)))
    found, cursor = [], ""
    for _ in range(3):
        page = (await collab.http.get(f"/v1/handoffs?limit=10{cursor}", headers=collab.as_("viewer"))).json()
        found += [item["handoff_id"] for item in page["items"]]
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(found)) == 25
    assert page["next_cursor"] is None


async def test_twenty_thousand_moves_open_twenty_thousand_handoffs(collab: Collab):
    """One call of the handler takes a whole realignment; rolled back, it leaves none open."""
    activation, rollback = uuid4(), uuid4()
    accounts = [uuid4() for _ in range(20_000)]
    await collab.feed(*(aligned(account, NORTH, SOUTH, activation) for account in accounts))
    summary = f"/v1/handoffs/summary?activation_id={activation}"
    assert (await collab.http.get(summary, headers=collab.as_("viewer"))).json()["sent"] == 20_000
    await collab.feed(*(aligned(account, SOUTH, NORTH, rollback) for account in accounts), version=2)
    counts = (await collab.http.get(summary, headers=collab.as_("viewer"))).json()
    assert (counts["superseded"], counts["total"]) == (20_000, 20_000)
