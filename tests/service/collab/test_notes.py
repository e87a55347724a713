"""Notes: revisions, tombstones, odd text, and who sees them."""

import asyncio
from uuid import UUID, uuid4

import pytest

from tests.service.collab.conftest import EAST, NORTH, NORTH_CITY, SOUTH, Collab, aligned
from tests.service.collab.school import account


def on(kind: str, subject: UUID | str) -> dict[str, str]:
    return {"type": kind, "id": str(subject)}


async def _write(
    collab: Collab, subject: dict[str, str], headers: dict[str, str], body: str = "Text"
) -> dict:
    answer = await collab.http.post("/v1/notes", json={"subject": subject, "body": body}, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_write_edit_and_read_back_every_revision(collab: Collab):
    headers = collab.as_("contributor", subject="ann")
    account = uuid4()
    await collab.feed(aligned(account, None, NORTH, None))
    first = await collab.http.post(
        "/v1/notes", json={"subject": on("account", account), "body": "One 🧭"}, headers=headers
    )
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    url = first.headers["location"]
    edited = await collab.http.patch(url, json={"body": "Two"}, headers={**headers, "if-match": '"1"'})
    assert (edited.status_code, edited.headers["etag"], edited.json()["body"]) == (200, '"2"', "Two")
    read = await collab.http.get(url, headers=headers)
    assert (read.headers["etag"], read.json()) == ('"2"', edited.json())
    revisions = (await collab.http.get(f"{url}/revisions", headers=headers)).json()["items"]
    assert [(item["revision"], item["body"]) for item in revisions] == [(1, "One 🧭"), (2, "Two")]


async def test_changes_need_the_version_that_was_read(collab: Collab):
    headers = collab.as_("contributor")
    note = await _write(collab, on("plan", uuid4()), headers)
    url = f"/v1/notes/{note['note_id']}"
    assert (await collab.http.patch(url, json={"body": "x"}, headers=headers)).status_code == 428
    for tag in ('"2"', "1", 'W/"1"', '"x"', "*", '"99999999999"'):
        answer = await collab.http.patch(url, json={"body": "x"}, headers={**headers, "if-match": tag})
        assert answer.status_code == 412, tag


async def test_of_twenty_edits_at_once_one_wins(collab: Collab):
    headers = collab.as_("contributor")
    note = await _write(collab, on("plan", uuid4()), headers)
    url = f"/v1/notes/{note['note_id']}"
    answers = await asyncio.gather(
        *(
            collab.http.patch(url, json={"body": f"{n}"}, headers={**headers, "if-match": '"1"'})
            for n in range(20)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 19
    assert len((await collab.http.get(f"{url}/revisions", headers=headers)).json()["items"]) == 2


async def test_deleting_removes_the_text_of_every_revision_and_leaves_the_place(collab: Collab):
    headers = collab.as_("contributor", subject="ann")
    account = uuid4()
    await collab.feed(aligned(account, None, NORTH, None))
    subject = on("account", account)
    note = await _write(collab, subject, headers, "secret one")
    url = f"/v1/notes/{note['note_id']}"
    await collab.http.patch(url, json={"body": "secret two"}, headers={**headers, "if-match": '"1"'})
    gone = await collab.http.delete(url, headers={**headers, "if-match": '"2"'})
    assert (gone.status_code, gone.headers["etag"], gone.json()["body"]) == (200, '"3"', None)
    assert (await collab.http.get(url, headers=headers)).json()["deleted_by"] == "ann"
    revisions = (await collab.http.get(f"{url}/revisions", headers=headers)).json()["items"]
    assert [item["body"] for item in revisions] == [None, None]
    listed = await collab.http.get(f"/v1/notes?subject_id={subject['id']}", headers=headers)
    assert listed.json()["items"] == []
    assert not await collab.rows("SELECT 1 FROM note_revisions WHERE body IS NOT NULL")
    for method, body in (("PATCH", {"body": "x"}), ("DELETE", None)):
        again = await collab.http.request(method, url, json=body, headers={**headers, "if-match": '"3"'})
        assert (again.status_code, again.json()["code"]) == (409, "note-deleted")


async def test_events_carry_ids_and_never_text(collab: Collab):
    headers = collab.as_("contributor")
    note = await _write(collab, on("rep", uuid4()), headers, "canary")
    url = f"/v1/notes/{note['note_id']}"
    await collab.http.patch(url, json={"body": "canary two"}, headers={**headers, "if-match": '"1"'})
    await collab.http.delete(url, headers={**headers, "if-match": '"2"'})
    outbox = await collab.outbox()
    assert [kind.split(".")[2] for kind, _ in outbox] == ["written", "edited", "deleted"]
    assert [payload["revision"] for _, payload in outbox] == [1, 2, 3]
    assert "canary" not in str(outbox)


async def test_only_the_author_edits_and_managers_may_delete(collab: Collab):
    note = await _write(collab, on("plan", uuid4()), collab.as_("contributor", subject="ann"))
    url, tag = f"/v1/notes/{note['note_id']}", {"if-match": '"1"'}
    bob, boss = collab.as_("contributor", subject="bob"), collab.as_("manager", subject="boss")
    for method, headers in (("PATCH", bob), ("PATCH", boss), ("DELETE", bob)):
        body = {"body": "x"} if method == "PATCH" else None
        answer = await collab.http.request(method, url, json=body, headers={**headers, **tag})
        assert (answer.status_code, answer.json()["code"]) == (403, "not-the-author")
    assert (await collab.http.delete(url, headers={**boss, **tag})).status_code == 200


@pytest.mark.parametrize("body", ["", "a\x00b", "\ud800", "bell\x07", "x" * 65_537])
async def test_text_that_cannot_be_kept_is_refused(collab: Collab, body: str):
    import json  # noqa: PLC0415 - httpx refuses to encode a lone surrogate itself

    content = json.dumps({"subject": on("plan", uuid4()), "body": body})
    headers = {**collab.as_("contributor"), "content-type": "application/json"}
    answer = await collab.http.post("/v1/notes", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["errors"][0]["pointer"] == "/body"


@pytest.mark.parametrize("body", ["x" * 65_536, "🧭" * 65_536, " ", "\n\ttab", "\u202e", "\ufeff", "é"])
async def test_text_that_can_be_kept_comes_back_as_it_was(collab: Collab, body: str):
    headers = collab.as_("contributor")
    note = await _write(collab, on("plan", uuid4()), headers, body)
    assert (await collab.http.get(f"/v1/notes/{note['note_id']}", headers=headers)).json()["body"] == body


async def test_notes_on_an_account_move_with_it(collab: Collab):
    """Who loses the account loses its notes at once, the author too; a cursor reveals nothing."""
    account = uuid4()
    await collab.go_live()
    await collab.feed(aligned(account, None, NORTH_CITY, uuid4()))
    north = collab.as_("contributor", territories=[NORTH], subject="ann")
    south = collab.as_("contributor", territories=[SOUTH], subject="bob")
    notes = [await _write(collab, on("account", account), north) for _ in range(2)]
    refused = await collab.http.post(
        "/v1/notes", json={"subject": on("account", account), "body": "x"}, headers=south
    )
    assert refused.status_code == 404
    page = (await collab.http.get("/v1/notes?limit=1", headers=north)).json()
    await collab.feed(aligned(account, NORTH_CITY, SOUTH, uuid4()), version=2)
    (handoff,) = (await collab.http.get("/v1/handoffs", headers=south)).json()["items"]
    for url in ("/v1/notes", f"/v1/notes?cursor={page['next_cursor']}"):
        assert (await collab.http.get(url, headers=north)).json()["items"] == []
    done = await collab.http.post(
        f"/v1/handoffs/{handoff['handoff_id']}/rejections", json={"reason": "No."}, headers=south
    )
    assert done.status_code == 200
    notes.append(await _write(collab, on("handoff", handoff["handoff_id"]), south))
    for note in notes:
        url = f"/v1/notes/{note['note_id']}"
        for path in (url, f"{url}/revisions"):
            assert (await collab.http.get(path, headers=north)).status_code == 404
            assert (await collab.http.get(path, headers=south)).status_code == 200
        tagged = {**north, "if-match": '"1"'}
        assert (await collab.http.patch(url, json={"body": "x"}, headers=tagged)).status_code == 404
        assert (await collab.http.delete(url, headers=tagged)).status_code == 404


async def test_notes_on_a_territory_are_seen_with_it(collab: Collab):
    await collab.go_live()
    note = await _write(collab, on("territory", NORTH_CITY), collab.as_("admin"))
    url = f"/v1/notes/{note['note_id']}"
    for root, status in ((NORTH, 200), (NORTH_CITY, 200), (SOUTH, 404), (EAST, 404)):
        headers = collab.as_("viewer", territories=[root])
        assert (await collab.http.get(url, headers=headers)).status_code == status


async def test_notes_without_a_place_are_for_the_author_and_the_whole_organisation(collab: Collab):
    await collab.go_live()
    ann = collab.as_("contributor", territories=[NORTH], subject="ann")
    bob = collab.as_("contributor", territories=[NORTH], subject="bob")
    note = await _write(collab, on("goal", uuid4()), ann)
    url = f"/v1/notes/{note['note_id']}"
    statuses = [
        (await collab.http.get(url, headers=who)).status_code for who in (ann, bob, collab.as_("viewer"))
    ]
    assert statuses == [200, 404, 200]


@pytest.mark.parametrize("kind", ["account", "territory", "handoff"])
async def test_a_note_on_what_is_not_there_is_refused_whoever_writes_it(collab: Collab, kind: str):
    await collab.go_live()
    body = {"subject": on(kind, uuid4()), "body": "x"}
    for headers in (collab.as_("admin"), collab.as_("contributor", territories=[NORTH])):
        answer = await collab.http.post("/v1/notes", json=body, headers=headers)
        assert answer.status_code == 404
        assert answer.json()["detail"].startswith(f"subject: no such {kind}")
    assert await collab.rows("SELECT 1 FROM notes") == []


async def test_an_account_is_there_once_either_of_its_events_is(collab: Collab):
    """Registrations and alignments travel to consumers of their own: a gap has the one without the other."""
    registered, aligned_only = uuid4(), uuid4()
    await collab.feed(account(registered, "health"))
    await collab.feed(aligned(aligned_only, None, None, None))
    for one in (registered, aligned_only):
        await _write(collab, on("account", one), collab.as_("contributor"))


async def test_a_retry_with_the_same_key_writes_one_note(collab: Collab):
    headers = {**collab.as_("contributor"), "idempotency-key": "n1"}
    body = {"subject": on("plan", uuid4()), "body": "x"}
    first = await collab.http.post("/v1/notes", json=body, headers=headers)
    again = await collab.http.post("/v1/notes", json=body, headers=headers)
    assert first.json() == again.json()
    assert (again.headers["idempotent-replayed"], again.headers["location"]) == (
        "true",
        first.headers["location"],
    )
    assert len(await collab.outbox()) == 1


async def test_revisions_come_in_pages(collab: Collab):
    headers = collab.as_("contributor")
    note = await _write(collab, on("plan", uuid4()), headers, "1")
    url = f"/v1/notes/{note['note_id']}"
    for n in range(2, 6):
        await collab.http.patch(url, json={"body": f"{n}"}, headers={**headers, "if-match": f'"{n - 1}"'})
    found, cursor, pages = [], "", 0
    while cursor is not None and pages < 5:
        query = f"?limit=2&cursor={cursor}" if cursor else "?limit=2"
        page = (await collab.http.get(f"{url}/revisions{query}", headers=headers)).json()
        found += [item["revision"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert (found, pages) == ([1, 2, 3, 4, 5], 3)


async def test_a_cursor_of_another_list_is_refused(collab: Collab):
    headers = collab.as_("contributor")
    notes = [await _write(collab, on("plan", uuid4()), headers) for _ in range(2)]
    cursor = (await collab.http.get("/v1/notes?limit=1", headers=headers)).json()["next_cursor"]
    url = f"/v1/notes/{notes[0]['note_id']}/revisions?cursor={cursor}"
    answer = await collab.http.get(url, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


@pytest.mark.parametrize("deleter", ["ann", "boss"])
async def test_deleting_erases_the_text_from_the_answers_kept_for_retries(collab: Collab, deleter: str):
    """A retry still gets its first answer and writes nothing, but the text is gone from it."""
    ann = collab.as_("contributor", subject="ann")
    body = {"subject": on("plan", uuid4()), "body": "canary one"}
    requests = [("POST", "/v1/notes", body, {**ann, "idempotency-key": "k"})]
    first = await collab.http.post("/v1/notes", json=body, headers=requests[0][3])
    url = first.headers["location"]
    edit = {**ann, "idempotency-key": "k", "if-match": '"1"'}
    requests.append(("PATCH", url, {"body": "canary two"}, edit))
    await collab.http.patch(url, json={"body": "canary two"}, headers=edit)
    other = {**body, "body": f'my own "note_id":"{first.json()["note_id"]}"'}
    kept = {**ann, "idempotency-key": "other"}
    await collab.http.post("/v1/notes", json=other, headers=kept)
    headers = {**collab.as_("manager", subject=deleter), "if-match": '"2"', "idempotency-key": "gone"}
    assert (await collab.http.delete(url, headers=headers)).status_code == 200
    answers = await collab.rows("SELECT convert_from(response, 'UTF8') AS response FROM idempotency_keys")
    assert len(answers) == 4
    assert "canary" not in str(answers)
    for method, path, sent, with_key in requests:
        again = await collab.http.request(method, path, json=sent, headers=with_key)
        assert again.is_success
        assert again.headers["idempotent-replayed"] == "true"
        assert (again.json()["note_id"], again.json()["body"]) == (first.json()["note_id"], None)
    untouched = await collab.http.post("/v1/notes", json=other, headers=kept)
    assert untouched.json()["body"] == other["body"]
    assert len(await collab.rows("SELECT 1 FROM notes")) == 2
