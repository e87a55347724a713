"""Threads, mentions and inboxes: resolved through coverage, counted exactly, acknowledged; and searching notes."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collab.notes.inbox.queries import list_after
from services.collab.notes.visibility import Viewer
from shared.db.scope import Scope
from tests.service.collab.conftest import NORTH, NORTH_CITY, ROOT, SOUTH, Collab, aligned
from tests.service.collab.school import covers

ANN, BEN = UUID(int=0xA1), UUID(int=0xA2)


class Team:
    """Ann covers the northern city, Ben the south; the chief sees everything."""

    def __init__(self, collab: Collab, account: UUID) -> None:
        self.collab = collab
        self.account = account
        self.ann = collab.as_("contributor", subject=str(ANN), territories=[NORTH])
        self.ben = collab.as_("contributor", subject=str(BEN), territories=[SOUTH])
        self.chief = collab.as_("manager", subject="chief")

    async def call(
        self, method: str, path: str, body: Any = None, *, who: dict[str, str], status: int = 200
    ) -> Any:
        answer = await self.collab.http.request(method, path, json=body, headers=who)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def write(self, text: str, *, who: dict[str, str], status: int = 201, **more: Any) -> Any:
        body = {"subject": {"type": "account", "id": str(self.account)}, "body": text, **more}
        return await self.call("POST", "/v1/notes", body, who=who, status=status)

    async def reply(self, note: Any, text: str, *, who: dict[str, str], **more: Any) -> Any:
        path = f"/v1/notes/{note['note_id']}/replies"
        return await self.call("POST", path, {"body": text, **more}, who=who, status=201)

    async def inbox(self, who: dict[str, str], **query: Any) -> list[Any]:
        path = "/v1/inbox?" + "&".join(f"{name}={value}" for name, value in query.items())
        items: list[Any] = (await self.call("GET", path, who=who))["items"]
        counts = await self.call("GET", "/v1/inbox/summary", who=who)
        if not query:
            assert counts == {
                "unread": sum(item["read_at"] is None for item in items),
                "to_acknowledge": sum(
                    item["wants_acknowledgement"] and item["acknowledged_at"] is None for item in items
                ),
            }
        return items


@pytest.fixture
async def team(collab: Collab) -> Team:
    await collab.go_live()
    account = uuid4()
    await collab.feed(aligned(account, None, NORTH_CITY, None))
    await collab.feed(covers(ANN, NORTH_CITY), covers(BEN, SOUTH))
    return Team(collab, account)


def rep(rep_id: UUID) -> dict[str, str]:
    return {"type": "rep", "id": str(rep_id)}


def territory(territory_id: UUID) -> dict[str, str]:
    return {"type": "territory", "id": str(territory_id)}


async def test_a_thread_reaches_those_who_take_part_and_nobody_else(team: Team) -> None:
    first = await team.write("Who calls them?", who=team.chief)
    answer = await team.reply(first, "I do.", who=team.ann)
    assert (answer["thread_id"], answer["subject"]) == (first["note_id"], first["subject"])
    # A reply to a reply joins the same thread.
    last = await team.reply(answer, "Good.", who=team.chief)
    assert last["thread_id"] == first["note_id"]
    (mine,) = await team.inbox(team.ann)
    assert (mine["reason"], mine["note_id"], mine["thread_id"], mine["excerpt"]) == (
        "reply",
        last["note_id"],
        first["note_id"],
        "Good.",
    )
    assert [item["note_id"] for item in await team.inbox(team.chief)] == [answer["note_id"]]
    assert await team.inbox(team.ben) == []
    replies = await team.call("GET", f"/v1/notes/{first['note_id']}/replies", who=team.ann)
    assert [one["body"] for one in replies["items"]] == ["I do.", "Good."]
    await team.call("GET", f"/v1/notes/{first['note_id']}/replies", who=team.ben, status=404)
    await team.call("POST", f"/v1/notes/{first['note_id']}/replies", {"body": "x"}, who=team.ben, status=404)


async def test_a_territory_means_whoever_covers_it(team: Team) -> None:
    await team.write("Look at this.", who=team.chief, mentions=[territory(NORTH_CITY), rep(ANN)])
    await team.write("And this.", who=team.chief, mentions=[territory(NORTH_CITY)])
    named, covering = reversed(await team.inbox(team.ann))
    assert (named["reason"], named["territory_id"]) == ("mention", None)
    assert covering["territory_id"] == str(NORTH_CITY)
    refused = await team.write("Hello?", who=team.chief, mentions=[territory(ROOT)], status=409)
    assert (refused["code"], str(ROOT) in refused["detail"]) == ("nobody-covers", True)
    notes = await team.call("GET", f"/v1/notes?subject_id={team.account}", who=team.chief)
    assert [note["body"] for note in notes["items"]] == ["Look at this.", "And this."]


async def test_what_lies_outside_the_scope_is_neither_shown_nor_counted(team: Team) -> None:
    """Ben is mentioned on an account of the north: he sees it once the account is his, and not after."""
    await team.write("Ben knows them.", who=team.chief, mentions=[rep(BEN)])
    assert await team.inbox(team.ben) == []
    await team.collab.feed(aligned(team.account, NORTH_CITY, SOUTH, uuid4()), version=2)
    assert len(await team.inbox(team.ben)) == 1
    await team.collab.feed(aligned(team.account, SOUTH, NORTH_CITY, uuid4()), version=3)
    assert await team.inbox(team.ben) == []


async def test_reading_is_counted_exactly_and_only_ones_own(team: Team) -> None:
    for number in range(5):
        await team.write(f"Note {number}", who=team.chief, mentions=[rep(ANN)])
    items = await team.inbox(team.ann)
    assert [item["excerpt"] for item in items] == [f"Note {number}" for number in (4, 3, 2, 1, 0)]
    some = [item["item_id"] for item in items[:2]]
    for _ in range(2):
        left = await team.call("POST", "/v1/inbox/readings", {"item_ids": some}, who=team.ann)
        assert left == {"unread": 3, "to_acknowledge": 0}
    assert len(await team.inbox(team.ann, unread="true")) == 3
    assert len(await team.inbox(team.ann, unread="false")) == 2
    strange = {"item_ids": [items[2]["item_id"]]}
    refused = await team.call("POST", "/v1/inbox/readings", strange, who=team.ben, status=404)
    assert refused["detail"].startswith("item_ids")
    assert len(await team.inbox(team.ann, unread="true")) == 3


async def test_pages_of_an_inbox_neither_skip_nor_repeat(team: Team) -> None:
    for number in range(7):
        await team.write(f"Note {number}", who=team.chief, mentions=[rep(ANN)])
    found, cursor = [], ""
    while cursor is not None:
        page = await team.call("GET", f"/v1/inbox?limit=3{cursor and '&cursor=' + cursor}", who=team.ann)
        found += [item["excerpt"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert found == [f"Note {number}" for number in range(6, -1, -1)]


async def test_who_is_asked_acknowledges_and_the_author_sees_who_did(team: Team) -> None:
    asked = await team.write(
        "New price list.", who=team.chief, mentions=[rep(ANN), rep(BEN)], wants_acknowledgement=True
    )
    plain = await team.write("Thanks.", who=team.chief, mentions=[rep(ANN)])
    refused = await team.write("Everybody?", who=team.chief, wants_acknowledgement=True, status=422)
    assert refused["code"] == "nobody-asked"
    mine = {item["note_id"]: item["item_id"] for item in await team.inbox(team.ann)}
    path = f"/v1/inbox/{mine[asked['note_id']]}/acknowledgements"
    done = await team.call("POST", path, who=team.ann)
    again = await team.call("POST", path, who=team.ann)
    assert done == again
    assert done["acknowledged_at"] is not None
    assert done["read_at"] is not None
    await team.call("POST", path, who=team.ben, status=404)
    not_wanted = await team.call(
        "POST", f"/v1/inbox/{mine[plain['note_id']]}/acknowledgements", who=team.ann, status=409
    )
    assert not_wanted["code"] == "not-wanted"
    told = await team.call("GET", f"/v1/notes/{asked['note_id']}/acknowledgements", who=team.chief)
    assert {one["recipient"]: one["acknowledged_at"] for one in told["items"]} == {
        str(ANN): done["acknowledged_at"],
        str(BEN): None,
    }


async def test_a_deleted_note_leaves_every_inbox(team: Team) -> None:
    note = await team.write("By mistake.", who=team.chief, mentions=[rep(ANN)])
    await team.collab.http.delete(f"/v1/notes/{note['note_id']}", headers={**team.chief, "if-match": '"1"'})
    assert await team.inbox(team.ann) == []


async def test_many_at_once_put_every_item_into_the_inbox(team: Team) -> None:
    """Ten writers mention the same two reps in turn: nothing is lost, doubled or deadlocked."""
    both = [[rep(ANN), territory(SOUTH)], [territory(SOUTH), rep(ANN)]]
    await asyncio.gather(
        *(team.write(f"Note {number}", who=team.chief, mentions=both[number % 2]) for number in range(10))
    )
    items = await team.inbox(team.ann)
    assert Counter(item["excerpt"] for item in items) == {f"Note {number}": 1 for number in range(10)}
    rows = await team.collab.rows("SELECT recipient, count(*) FROM inbox_items GROUP BY 1")
    assert {row[0]: row[1] for row in rows} == {str(ANN): 10, str(BEN): 10}


async def test_bad_input_names_the_field(team: Team) -> None:
    for wrong, field in (
        ({"mentions": [{"type": "team", "id": str(ANN)}]}, "mentions"),
        ({"mentions": [rep(ANN)] * 51}, "mentions"),
        ({"wants_acknowledgement": "perhaps"}, "wants_acknowledgement"),
    ):
        refused = await team.write("x", who=team.chief, status=422, **wrong)
        assert any(field in error["pointer"] for error in refused["errors"]), refused
    assert await team.collab.rows("SELECT 1 FROM notes") == []


async def test_notes_are_found_by_the_words_that_stand(team: Team) -> None:
    note = await team.write("They renew in March, after the Messe.", who=team.ann)
    await team.reply(note, "The board meets in March.", who=team.chief)
    await team.write("Nothing to see.", who=team.ann)

    async def find(words: str, who: dict[str, str]) -> list[str]:
        found = await team.collab.http.get("/v1/note-matches", params={"words": words}, headers=who)
        assert found.status_code == 200, found.text
        return [item["body"] for item in found.json()["items"]]

    assert await find("march", team.ann) == [
        "The board meets in March.",
        "They renew in March, after the Messe.",
    ]
    assert await find("renew march", team.ann) == ["They renew in March, after the Messe."]
    assert await find('"in march" -board', team.ann) == ["They renew in March, after the Messe."]
    assert await find("march", team.ben) == []
    assert await find("& ! (", team.ann) == []
    edited = await team.collab.http.patch(
        f"/v1/notes/{note['note_id']}",
        json={"body": "They renew in April."},
        headers={**team.ann, "if-match": '"1"'},
    )
    assert edited.status_code == 200
    assert await find("messe", team.ann) == []
    assert await find("april", team.ann) == ["They renew in April."]


async def test_a_rep_has_their_inbox_in_whichever_case_the_token_writes_their_id(team: Team) -> None:
    await team.write("Call them.", who=team.chief, mentions=[rep(ANN)])
    loud = team.collab.as_("contributor", subject=str(ANN).upper(), territories=[NORTH])
    assert await team.inbox(loud) == await team.inbox(team.ann) != []


async def test_who_gets_an_account_asks_who_had_it_on_their_handoff(team: Team) -> None:
    """While it is under way both sides see what is written on it: listed, searched, in inboxes, streamed."""
    await team.collab.feed(aligned(team.account, NORTH_CITY, SOUTH, uuid4()), version=2)
    (handoff,) = (await team.call("GET", "/v1/handoffs", who=team.ann))["items"]
    subject = {"type": "handoff", "id": handoff["handoff_id"]}
    asked = await team.write(
        "Who signs there?", who=team.ben, subject=subject, mentions=[territory(NORTH_CITY)]
    )
    own = await team.write("We talked in May.", who=team.ben)

    async def seen_by_ann() -> list[list[str]]:
        notes = await team.call("GET", f"/v1/notes?subject_id={subject['id']}", who=team.ann)
        everything = await team.call("GET", "/v1/notes", who=team.ann)
        matches = await team.call("GET", "/v1/note-matches?words=signs", who=team.ann)
        async with team.collab.engine.connect() as read:
            viewer = Viewer(str(ANN), Scope(False, (NORTH,)))
            streamed = await list_after(read, viewer, after=0, rows=10)
        found = [notes["items"], everything["items"], matches["items"], await team.inbox(team.ann)]
        return [[one["note_id"] for one in items] for items in found] + [
            [str(one.note_id) for one in streamed]
        ]

    assert await seen_by_ann() == [[asked["note_id"]]] * 5
    brief = (await team.call("GET", f"/v1/handoffs/{subject['id']}", who=team.ann))["brief"]
    assert brief["notes"] == 1
    answer = await team.reply(asked, "Her deputy.", who=team.ann)
    (item,) = await team.inbox(team.ben)
    assert (item["note_id"], item["reason"]) == (answer["note_id"], "reply")
    await team.call("GET", f"/v1/notes/{own['note_id']}", who=team.ann, status=404)

    await team.call("POST", f"/v1/handoffs/{subject['id']}/acceptances", who=team.ben)
    assert (await seen_by_ann())[2] == [asked["note_id"]]
    await team.collab.feed(aligned(team.account, SOUTH, ROOT, uuid4()), version=3)
    assert await seen_by_ann() == [[]] * 5
    await team.call("POST", f"/v1/notes/{asked['note_id']}/replies", {"body": "?"}, who=team.ann, status=404)


async def test_deleting_a_note_erases_it_from_the_answers_to_its_acknowledgements(team: Team) -> None:
    """A retry still gets its first answer, without the text; what others acknowledged stays."""
    asked = {"mentions": [rep(ANN)], "wants_acknowledgement": True}
    notes = [await team.write(f"canary {n}", who=team.chief, **asked) for n in range(2)]
    answers = {}
    for item in await team.inbox(team.ann):
        path = f"/v1/inbox/{item['item_id']}/acknowledgements"
        answers[item["note_id"]] = (
            path,
            await team.call("POST", path, who={**team.ann, "idempotency-key": item["note_id"]}),
        )
    gone, kept = (note["note_id"] for note in notes)
    await team.call("DELETE", f"/v1/notes/{gone}", who={**team.chief, "if-match": '"1"'})
    for note_id, excerpt in ((gone, None), (kept, "canary 1")):
        path, first = answers[note_id]
        again = await team.call("POST", path, who={**team.ann, "idempotency-key": note_id})
        assert again == {**first, "excerpt": excerpt}
    stored = await team.collab.rows("SELECT convert_from(response, 'UTF8') AS answer FROM idempotency_keys")
    assert "canary 0" not in str(stored)
