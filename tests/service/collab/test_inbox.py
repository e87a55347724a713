"""Threads, mentions and inboxes: resolved through coverage, counted exactly, acknowledged; and searching notes."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.collab.notes.inbox.commands import number_items
from services.collab.notes.inbox.queries import list_after
from services.collab.notes.visibility import Viewer
from shared.db.scope import Scope
from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, ROOT, SOUTH, Collab, aligned
from tests.service.collab.school import covers

ANN, BEN, CLEO, NOBODY = (UUID(int=0xA1 + number) for number in range(4))
NOWHERE = UUID(int=99)


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
    nobody = await team.write("Hello?", who=team.chief, mentions=[territory(ROOT)])
    assert outcomes(nobody) == [(str(ROOT), None, False, "nobody-covers")]


def outcomes(written: Any) -> list[tuple[str, str | None, bool, str | None]]:
    return [(one["id"], one["recipient"], one["delivered"], one["reason"]) for one in written["mentions"]]


async def test_the_author_is_told_what_became_of_each_mention(team: Team) -> None:
    mentions = [rep(ANN), rep(BEN), rep(NOBODY), territory(NORTH_CITY), territory(EAST), territory(NOWHERE)]
    note = await team.write("Who knows them?", who=team.chief, mentions=mentions)
    told = [
        (str(ANN), str(ANN), True, None),
        (str(BEN), str(BEN), False, "cannot-see-subject"),
        (str(NOBODY), None, False, "unknown-rep"),
        (str(NORTH_CITY), str(ANN), True, None),
        (str(EAST), None, False, "nobody-covers"),
        (str(NOWHERE), None, False, "unknown-territory"),
    ]
    assert outcomes(note) == told
    assert outcomes(await team.reply(note, "Well?", who=team.chief, mentions=mentions)) == told
    await team.collab.feed(aligned(team.account, NORTH_CITY, SOUTH, uuid4()), version=2)
    moved = await team.write("And now?", who=team.chief, mentions=[rep(ANN), rep(BEN)])
    assert [one["reason"] for one in moved["mentions"]] == ["cannot-see-subject", None]


async def test_who_lies_outside_the_authors_scope_is_like_nobody_unless_they_share_the_subject(
    team: Team,
) -> None:
    """Neither that Ben is there nor who covers the south is Ann's to know; that the root's rep sees the note is."""
    mentions = [rep(BEN), rep(NOBODY), territory(SOUTH), territory(EAST), territory(NOWHERE)]
    note = await team.write("Anybody?", who=team.ann, mentions=mentions)
    assert [(one["recipient"], one["reason"]) for one in note["mentions"]] == [
        (None, "unknown-rep"),
        (None, "unknown-rep"),
        (None, "unknown-territory"),
        (None, "unknown-territory"),
        (None, "unknown-territory"),
    ]
    await team.collab.feed(covers(CLEO, ROOT))
    asked = await team.write(
        "Please look.", who=team.ann, mentions=[territory(ROOT), rep(BEN)], wants_acknowledgement=True
    )
    assert outcomes(asked) == [
        (str(BEN), None, False, "unknown-rep"),
        (str(ROOT), str(CLEO), True, None),
    ]
    path = f"/v1/notes/{asked['note_id']}/acknowledgements"
    listed = (await team.call("GET", path, who=team.ann))["items"]
    assert [(one["recipient"], one["asked_at"] is None) for one in listed] == [
        (None, True),
        (str(CLEO), False),
    ]


async def test_an_acknowledgement_is_not_asked_of_nobody(team: Team) -> None:
    for mentions in ([rep(BEN)], [rep(NOBODY), territory(EAST)]):
        refused = await team.write(
            "Read this.", who=team.chief, mentions=mentions, wants_acknowledgement=True, status=422
        )
        assert (refused["code"], refused["detail"].split(":")[0]) == ("nobody-asked", "mentions")
        assert len(refused["undelivered"]) == len(mentions)
    alone = await team.write(
        "Note to self.", who=team.ann, mentions=[rep(ANN)], wants_acknowledgement=True, status=422
    )
    assert [one["reason"] for one in alone["undelivered"]] == ["is-the-author"]
    assert await team.collab.rows("SELECT 1 FROM notes") == []


async def test_only_who_is_mentioned_in_a_reply_is_asked_to_acknowledge_it(team: Team) -> None:
    first = await team.write("I have a question.", who=team.ann)
    await team.collab.feed(covers(CLEO, NORTH))
    asked = await team.reply(
        first, "Cleo, yours.", who=team.chief, mentions=[rep(CLEO)], wants_acknowledgement=True
    )
    (mine,) = await team.inbox(team.ann)
    assert (mine["reason"], mine["wants_acknowledgement"]) == ("reply", False)
    listed = await team.call("GET", f"/v1/notes/{asked['note_id']}/acknowledgements", who=team.chief)
    assert [one["recipient"] for one in listed["items"]] == [str(CLEO)]


async def test_a_note_without_a_place_is_shown_to_whom_it_was_put_before(team: Team) -> None:
    """Nothing else could show a rep a note on a goal or on a colleague."""
    about = {"type": "goal", "id": str(uuid4())}
    body = {"subject": about, "body": "Ann?", "mentions": [rep(ANN)], "wants_acknowledgement": True}
    note = await team.call("POST", "/v1/notes", body, who=team.chief, status=201)
    assert outcomes(note) == [(str(ANN), str(ANN), True, None)]
    (item,) = await team.inbox(team.ann)
    answer = await team.reply(item, "Here.", who=team.ann)
    for who, found in ((team.ann, 2), (team.ben, 0)):
        for path in ("/v1/notes", f"/v1/notes?subject_id={about['id']}"):
            assert len((await team.call("GET", path, who=who))["items"]) == found
    assert [one["note_id"] for one in await team.inbox(team.chief)] == [answer["note_id"]]


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
    assert [one["reason"] for one in told["items"]] == [None, "cannot-see-subject"]
    # Who acknowledged it has it, even if the account has left them since.
    await team.collab.feed(aligned(team.account, NORTH_CITY, SOUTH, uuid4()), version=2)
    told = await team.call("GET", f"/v1/notes/{asked['note_id']}/acknowledgements", who=team.chief)
    assert [one["delivered"] for one in told["items"]] == [True, True]


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
        viewer = Viewer(str(ANN), Scope(False, (NORTH,)))
        await team.collab.transact(number_items, viewer)
        async with team.collab.engine.connect() as read:
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
