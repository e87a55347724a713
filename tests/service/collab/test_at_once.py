"""People and realignments at the same time, and a scope that never leaks."""

import asyncio
from itertools import product
from random import Random
from uuid import UUID, uuid4

from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, ROOT, SOUTH, TREE, Collab, aligned


async def test_of_twenty_decisions_at_once_one_counts(collab: Collab):
    await collab.feed(aligned(uuid4(), NORTH, SOUTH, uuid4()))
    headers = collab.as_("admin")
    (handoff,) = (await collab.http.get("/v1/handoffs", headers=headers)).json()["items"]
    url = f"/v1/handoffs/{handoff['handoff_id']}"
    answers = await asyncio.gather(
        *(
            collab.http.post(f"{url}/acceptances", headers=headers)
            if n % 2
            else collab.http.post(f"{url}/rejections", json={"reason": "No."}, headers=headers)
            for n in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 19
    assert [kind for kind, _ in await collab.outbox()].count("collab.handoff.decided.v1") == 1


async def test_a_decision_and_a_move_at_once_leave_one_truth(collab: Collab):
    """Whoever comes first: the account leaves who accepted it, or it was superseded and cannot be accepted."""
    for _ in range(10):
        account = uuid4()
        await collab.feed(aligned(account, NORTH, SOUTH, uuid4()))
        headers = collab.as_("admin")
        url = f"/v1/handoffs?account_id={account}"
        (handoff,) = (await collab.http.get(url, headers=headers)).json()["items"]
        answer, _ = await asyncio.gather(
            collab.http.post(f"/v1/handoffs/{handoff['handoff_id']}/acceptances", headers=headers),
            collab.feed(aligned(account, SOUTH, NORTH, uuid4()), version=2),
        )
        states = [item["state"] for item in (await collab.http.get(url, headers=headers)).json()["items"]]
        assert (answer.status_code, states) in [(200, ["superseded", "sent"]), (409, ["superseded"])]


def _below(root: UUID) -> set[UUID]:
    """Walk up from every territory: another way than the closure's."""

    def above(territory: UUID | None) -> set[UUID]:
        return set() if territory is None else {territory} | above(TREE[territory])

    return {territory for territory in TREE if root in above(territory)}


async def test_no_caller_reaches_a_row_outside_the_scope(collab: Collab):
    """Every way to a handoff or a note, against an oracle that knows only parents."""
    await collab.go_live()
    random, places = Random(7), [ROOT, NORTH, SOUTH, EAST, NORTH_CITY]
    for source, target in product(places, places):
        if source != target:
            await collab.feed(aligned(uuid4(), source, target, uuid4()))
    admin = collab.as_("admin", subject="admin")
    handoffs = (await collab.http.get("/v1/handoffs?limit=500", headers=admin)).json()["items"]
    notes = {}
    for handoff in handoffs:
        subject = random.choice(
            [
                {"type": "account", "id": handoff["account_id"]},
                {"type": "handoff", "id": handoff["handoff_id"]},
                {"type": "territory", "id": handoff["incoming"]["territory_id"]},
            ]
        )
        body = {"subject": subject, "body": "x"}
        written = (await collab.http.post("/v1/notes", json=body, headers=admin)).json()
        sides = ("outgoing", "incoming") if subject["type"] == "handoff" else ("incoming",)
        notes[written["note_id"]] = {UUID(handoff[side]["territory_id"]) for side in sides}
    for roots in ([NORTH], [NORTH_CITY], [SOUTH, EAST], [ROOT], [uuid4()], []):
        seen = set().union(*(_below(root) for root in roots))
        headers = collab.as_("manager", territories=roots, subject="boss")
        allowed = {
            handoff["handoff_id"]
            for handoff in handoffs
            if {UUID(handoff[side]["territory_id"]) for side in ("outgoing", "incoming")} & seen
        }
        listed = (await collab.http.get("/v1/handoffs?limit=500", headers=headers)).json()["items"]
        assert {item["handoff_id"] for item in listed} == allowed
        summary = (await collab.http.get("/v1/handoffs/summary", headers=headers)).json()
        assert summary["total"] == len(allowed)
        for handoff in random.sample(handoffs, 6):
            read = await collab.http.get(f"/v1/handoffs/{handoff['handoff_id']}", headers=headers)
            assert (read.status_code == 200) == (handoff["handoff_id"] in allowed)
        readable = {note for note, places in notes.items() if places & seen}
        found = (await collab.http.get("/v1/notes?limit=500", headers=headers)).json()["items"]
        assert {note["note_id"] for note in found} == readable
        for note in random.sample(sorted(notes), 6):
            read = await collab.http.get(f"/v1/notes/{note}", headers=headers)
            assert (read.status_code == 200) == (note in readable)
