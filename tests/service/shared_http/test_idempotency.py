"""A key names a request: whatever is retried or raced, the effect is there once."""

import asyncio

import pytest

from tests.service.shared_http.conftest import Toy


def _key(toy: Toy, key: str, **more) -> dict[str, str]:
    return {**toy.as_("contributor", **more), "idempotency-key": key}


async def _count(toy: Toy) -> int:
    return (await toy.execute("SELECT count(*) FROM things"))[0][0]


async def test_twenty_at_once_have_one_effect(toy: Toy):
    answers = await asyncio.gather(
        *(toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k")) for _ in range(20))
    )
    assert await _count(toy) == 1
    made = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in made}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in made) == 1


async def test_a_replay_is_the_first_answer_and_says_so(toy: Toy):
    first = await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    again = await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (first.status_code, first.content)
    for header in ("etag", "location", "content-type"):
        assert again.headers[header] == first.headers[header]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


@pytest.mark.parametrize("key", ['"k"', " k "])
async def test_a_key_may_be_quoted(toy: Toy, key: str):
    await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    again = await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, key))
    assert again.headers["idempotent-replayed"] == "true"


async def test_the_same_json_written_otherwise_is_the_same_request(toy: Toy):
    headers = {**_key(toy, "k"), "content-type": "application/json"}
    await toy.http.post("/v1/things", content=b'{"name":"x","territory_id":null}', headers=headers)
    again = await toy.http.post(
        "/v1/things", content=b'{ "territory_id": null, "name": "\\u0078" }', headers=headers
    )
    assert again.headers["idempotent-replayed"] == "true"


async def test_another_request_under_the_same_key_is_refused(toy: Toy):
    await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    for answer in (
        await toy.http.post("/v1/things", json={"name": "y"}, headers=_key(toy, "k")),
        await toy.http.post("/v1/things?urgent=1", json={"name": "x"}, headers=_key(toy, "k")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency-key-reused")
    assert await _count(toy) == 1


async def test_another_precondition_under_the_same_key_is_another_request(toy: Toy):
    """The retry of a change with a fresher ETag must not be answered with the older change's result."""
    thing = await toy.add_thing()
    url, headers = f"/v1/things/{thing}", _key(toy, "k")
    first = await toy.http.put(url, json={"name": "y"}, headers={**headers, "if-match": '"1"'})
    assert first.status_code == 200
    again = await toy.http.put(url, json={"name": "y"}, headers={**headers, "if-match": '"2"'})
    assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")


async def test_keys_belong_to_a_caller_and_a_route(toy: Toy):
    await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    other_caller = await toy.http.post(
        "/v1/things", json={"name": "x"}, headers=_key(toy, "k", subject="bob")
    )
    toy.app.state.gate.open.set()
    other_route = await toy.http.post("/v1/slow-things", json={"name": "x"}, headers=_key(toy, "k"))
    for answer in (other_caller, other_route):
        assert answer.status_code == 201
        assert "idempotent-replayed" not in answer.headers


async def test_a_key_on_a_parameterised_route_is_per_target(toy: Toy):
    one, two = await toy.add_thing(), await toy.add_thing()
    headers = {**_key(toy, "k"), "if-match": '"1"'}
    assert (await toy.http.put(f"/v1/things/{one}", json={"name": "y"}, headers=headers)).status_code == 200
    other = await toy.http.put(f"/v1/things/{two}", json={"name": "y"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-key-reused")


async def test_a_request_in_flight_is_told_apart_from_one_that_is_done(toy: Toy):
    gate = toy.app.state.gate
    running = asyncio.create_task(
        toy.http.post("/v1/slow-things", json={"name": "x"}, headers=_key(toy, "k"))
    )
    await gate.entered.wait()
    answer = await toy.http.post("/v1/slow-things", json={"name": "x"}, headers=_key(toy, "k"))
    assert (answer.status_code, answer.json()["code"]) == (409, "request-in-flight")
    gate.open.set()
    assert (await running).status_code == 201
    assert await _count(toy) == 1


@pytest.mark.parametrize(("name", "status"), [("broken", 409), ("crash", 500), ("", 422)])
async def test_what_failed_is_decided_again(toy: Toy, name: str, status: int):
    for _ in range(2):
        answer = await toy.http.post("/v1/things", json={"name": name}, headers=_key(toy, "k"))
        assert answer.status_code == status
        assert "idempotent-replayed" not in answer.headers
    good = await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    assert good.status_code == 201
    assert await toy.execute("SELECT 1 FROM idempotency_keys WHERE status IS NULL OR status >= 300") == []


@pytest.mark.parametrize("key", ["", " ", '""', "k" * 256, "k" * 301, "a\x01b", "\x80"])
async def test_a_key_that_names_nothing_is_refused(toy: Toy, key: str):
    headers = {**toy.as_("contributor"), "idempotency-key": key.encode("latin-1")}
    answer = await toy.http.post("/v1/things", json={"name": "x"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-idempotency-key")


async def test_a_replay_needs_the_rights_of_the_first_time(toy: Toy):
    await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    viewer = {**toy.as_("viewer"), "idempotency-key": "k"}
    assert (await toy.http.post("/v1/things", json={"name": "x"}, headers=viewer)).status_code == 403


async def test_a_replay_after_the_scope_shrank_tells_nothing(toy: Toy):
    """The stored answer was for whoever could see the thing then; a narrower token is another caller."""
    await toy.http.post("/v1/things", json={"name": "x"}, headers=_key(toy, "k"))
    narrow = _key(toy, "k", territories=[])
    answer = await toy.http.post("/v1/things", json={"name": "x"}, headers=narrow)
    assert "idempotent-replayed" not in answer.headers
