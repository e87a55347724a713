"""Every change leaves its entry, in the change's own transaction; nothing else does, and nobody mends it."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy.exc import ProgrammingError

from shared.testing.databases import ServiceDatabase
from shared.testing.frozen_clock import A_MONDAY, FrozenClock
from tests.service.shared_http.conftest import Toy

ENTRIES = "/v1/audit-entries"
NORTH, SOUTH = UUID(int=1), UUID(int=2)


@pytest.fixture(autouse=True)
async def no_entries_yet(toy_database: ServiceDatabase) -> None:
    """Only the owner can put entries away."""
    owner = await asyncpg.connect(toy_database.owner_url)
    await owner.execute("DELETE FROM metrics.audit_entries")
    await owner.close()


async def _entries(toy: Toy, **query: str) -> list[dict]:
    answer = await toy.http.get(ENTRIES, params=query, headers=toy.as_("admin"))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def _make(toy: Toy, name: str = "x", subject: str = "tester", **headers: str):
    headers = {**toy.as_("contributor", subject=subject), **headers}
    return await toy.http.post("/v1/things", json={"name": name}, headers=headers)


async def test_a_change_says_who_asked_for_what_with_which_rights_and_what_came_of_it(toy: Toy):
    body = b'{"name": "Jane Doe"}'
    headers = toy.as_("manager", "contributor", territories=[SOUTH, NORTH], subject="alice")
    sent = {"content-type": "application/json", "idempotency-key": '"k"', "x-request-id": "trail-1"}
    made = await toy.http.post("/v1/things", content=body, headers={**headers, **sent})
    assert made.status_code == 201
    [entry] = await _entries(toy)
    assert UUID(entry.pop("audit_id")).version == 7
    assert datetime.fromisoformat(entry.pop("recorded_at")) == A_MONDAY
    assert entry == {
        "actor": "alice",
        "roles": ["contributor", "manager"],
        "scope": [str(NORTH), str(SOUTH)],
        "method": "POST",
        "route": "/v1/things",
        "path_parameters": {},
        "operation": "create-thing",
        "status": 201,
        "location": made.headers["location"],
        "correlation_id": "trail-1",
        "idempotency_key": "k",
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }
    assert "Jane" not in str(await toy.execute("SELECT audit_entries::text FROM audit_entries"))


async def test_a_change_of_something_names_it_by_the_paths_parameters(toy: Toy):
    thing = await toy.add_thing()
    headers = {**toy.as_("contributor"), "if-match": '"1"'}
    await toy.http.put(f"/v1/things/{thing}", json={"name": "y"}, headers=headers)
    [entry] = await _entries(toy)
    assert (entry["method"], entry["route"], entry["operation"]) == (
        "PUT",
        "/v1/things/{thing_id}",
        "put-thing",
    )
    assert (entry["path_parameters"], entry["scope"]) == ({"thing_id": str(thing)}, "*")
    assert (entry["location"], entry["idempotency_key"]) == (None, None)


@pytest.mark.parametrize("key", [{}, {"idempotency-key": "k"}])
@pytest.mark.parametrize(("name", "status"), [("broken", 409), ("crash", 500), ("", 422)])
async def test_what_was_refused_or_rolled_back_has_no_entry(toy: Toy, name: str, status: int, key: dict):
    """The toy refuses and crashes after its insert: the entry would be the transaction's last statement."""
    assert (await _make(toy, name, **key)).status_code == status
    assert await _entries(toy) == []


async def test_reads_and_callers_who_may_not_have_no_entry(toy: Toy):
    await toy.http.get("/v1/things", headers=toy.as_("viewer"))
    assert (
        await toy.http.post("/v1/things", json={"name": "x"}, headers=toy.as_("viewer"))
    ).status_code == 403
    assert await _entries(toy) == []


async def test_a_change_whose_entry_cannot_be_written_does_not_happen(
    toy: Toy, toy_database: ServiceDatabase
):
    owner = await asyncpg.connect(toy_database.owner_url)
    await owner.execute("REVOKE INSERT ON metrics.audit_entries FROM metrics_app")
    try:
        assert (await _make(toy)).status_code == 500
        assert await toy.execute("SELECT 1 FROM things") == []
    finally:
        await owner.execute("GRANT INSERT ON metrics.audit_entries TO metrics_app")
        await owner.close()


async def test_a_retry_that_is_answered_from_memory_has_no_entry_of_its_own(toy: Toy):
    answers = [await _make(toy, **{"idempotency-key": "k"}) for _ in range(3)]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true", "true"]
    [entry] = await _entries(toy)
    assert entry["correlation_id"] == answers[0].headers["x-request-id"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET actor = 'somebody else'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "INSERT INTO audit_entries SELECT * FROM audit_entries ON CONFLICT (audit_id) DO UPDATE SET actor = 'x'",
        "ALTER TABLE audit_entries ADD extra int",
    ],
)
async def test_the_processes_can_only_add(toy: Toy, statement: str):
    await _make(toy, subject="alice")
    # Who has no right cannot give it; Postgres only warns.
    await toy.execute("GRANT UPDATE, DELETE ON audit_entries TO metrics_app")
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"):
        await toy.execute(statement)
    assert [entry["actor"] for entry in await _entries(toy)] == ["alice"]


@pytest.mark.parametrize("role", ["viewer", "contributor", "manager", "service"])
async def test_only_administrators_read_the_audit(toy: Toy, role: str):
    answer = await toy.http.get(ENTRIES, headers=toy.as_(role))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_an_administrator_of_single_territories_reads_no_audit(toy: Toy):
    answer = await toy.http.get(ENTRIES, headers=toy.as_("admin", territories=[NORTH]))
    assert (answer.status_code, answer.json()["code"]) == (403, "outside-scope")


async def test_pages_hold_every_entry_once_and_the_newest_first(toy: Toy, clock: FrozenClock):
    for _ in range(3):
        clock.advance(timedelta(seconds=1))
        # Within one millisecond too, where ids come in any order.
        await asyncio.gather(*(_make(toy) for _ in range(4)))
    found, query = [], {"limit": "5"}
    while True:
        page = (await toy.http.get(ENTRIES, params=query, headers=toy.as_("admin"))).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        # What is added meanwhile is newer than every page to come.
        clock.advance(timedelta(seconds=1))
        await _make(toy, subject="late")
        query["cursor"] = page["next_cursor"]
    ids = [entry["audit_id"] for entry in found]
    assert (len(ids), len(set(ids))) == (12, 12)
    assert ids == sorted(ids, reverse=True)
    moments = [entry["recorded_at"] for entry in found]
    assert moments == sorted(moments, reverse=True)


async def test_entries_are_found_by_actor_operation_and_time(toy: Toy, clock: FrozenClock):
    start = A_MONDAY + timedelta(microseconds=1500)
    clock.move_to(start)
    await _make(toy, subject="alice")
    clock.move_to(start + timedelta(microseconds=300))
    await _make(toy, subject="bob")
    thing = await toy.add_thing()
    clock.move_to(start + timedelta(hours=1))
    headers = {**toy.as_("contributor", subject="alice"), "if-match": '"1"'}
    await toy.http.put(f"/v1/things/{thing}", json={"name": "y"}, headers=headers)

    async def found(**query: object) -> list[tuple[str, str]]:
        told = {name: getattr(value, "isoformat", lambda v=value: v)() for name, value in query.items()}
        return [(entry["actor"], entry["operation"]) for entry in await _entries(toy, **told)]

    changed, bob, alice = ("alice", "put-thing"), ("bob", "create-thing"), ("alice", "create-thing")
    assert await found(actor="alice") == [changed, alice]
    assert await found(operation="put-thing") == [changed]
    assert await found(actor="bob", operation="put-thing") == []
    assert await found(since=start + timedelta(microseconds=300)) == [changed, bob]
    assert await found(until=start + timedelta(microseconds=300)) == [alice]
    assert await found(since=start, until=start + timedelta(microseconds=1)) == [alice]
    assert await found(since=start + timedelta(hours=1, microseconds=1)) == []
    assert set(await found(until=datetime(2100, 1, 1, tzinfo=UTC))) == {changed, bob, alice}


@pytest.mark.parametrize(
    "query", [{"since": "yesterday"}, {"since": "0"}, {"until": "2026-11-23T09:00:00"}, {"actor": ""}]
)
async def test_a_question_nobody_can_answer_is_refused(toy: Toy, query: dict):
    answer = await toy.http.get(ENTRIES, params=query, headers=toy.as_("admin"))
    assert answer.status_code == 422


async def test_a_cursor_of_nothing_is_refused(toy: Toy):
    answer = await toy.http.get(ENTRIES, params={"cursor": str(uuid4())}, headers=toy.as_("admin"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")
