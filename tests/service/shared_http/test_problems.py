"""Every answer that is not 2xx is a problem document, whatever went wrong."""

import asyncio
import dataclasses
import json

import httpx
import pytest
from sqlalchemy import text

from shared.db.engine import begin_snapshot, build_engine
from tests.service.shared_http.conftest import Toy
from tests.service.shared_http.toy_api import create_app

LONE_SURROGATE = b'{"name": "x", "\\ud800": 1}'


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["status"] == status
    assert problem["type"] == f"urn:bailiwick:problem:{code}"
    assert problem["detail"]
    assert "secret" not in answer.text
    return problem


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not-found"),
        ("GET", "/v1/things/", 404, "not-found"),
        ("GET", "/v1/failures/none", 404, "not-found"),
        ("DELETE", "/v1/things", 405, "method-not-allowed"),
        ("GET", "/v1/failures/crash", 500, "internal-error"),
        ("GET", "/v1/failures/write", 500, "internal-error"),
        ("GET", "/v1/failures/busy", 503, "temporarily-unavailable"),
        ("GET", "/v1/failures/unavailable", 503, "temporarily-unavailable"),
        ("GET", "/v1/failures/unmapped", 422, "nobody-mapped-this"),
        ("GET", "/v1/failures/nul", 422, "unstorable-text"),
        ("GET", "/v1/failures/teapot", 418, "i-m-a-teapot"),
        ("GET", "/v1/things?limit=0", 422, "invalid-request"),
        ("GET", "/v1/things?limit=501", 422, "invalid-request"),
        ("GET", "/v1/things?limti=5", 422, "invalid-request"),
        ("GET", "/health/live?verbose=1", 422, "invalid-request"),
        ("GET", "/v1/found?name=a%00b", 422, "invalid-request"),
        ("GET", "/v1/failures/%00", 404, "not-found"),
        ("GET", "/v1/failures/%ff%fe", 404, "not-found"),
    ],
)
async def test_what_goes_wrong_is_a_problem(toy: Toy, method: str, path: str, status: int, code: str):
    answer = await toy.http.request(method, path, headers=toy.as_("admin"))
    problem = assert_problem(answer, status, code)
    assert problem["instance"].startswith("/")
    if status == 405:
        assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}
    if status == 503:
        assert answer.headers["retry-after"] == "1"
    if status == 418:
        assert answer.headers["x-pot"] == "tea"


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed-json"),
        (b"\xff\xfe", "application/json", 400, "malformed-json"),
        (b"[" * 1900, "application/json", 400, "malformed-json"),
        (b'{"name": ' + b"9" * 1900 + b"}", "application/json", 422, "invalid-request"),
        (b'{"name": "x"}', "text/plain", 415, "unsupported-media-type"),
        (b'{"name": "x"}', "", 415, "unsupported-media-type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"", "application/json", 422, "invalid-request"),
        (b"[]", "application/json", 422, "invalid-request"),
        (b"null", "application/json", 422, "invalid-request"),
        (b'{"name": 5}', "application/json", 422, "invalid-request"),
        (b'{"name": "x", "nam": 1}', "application/json", 422, "invalid-request"),
        (b'{"name": "\\ud800"}', "application/json", 422, "invalid-request"),
        (b'{"name": "a\\u0000b"}', "application/json", 422, "invalid-request"),
        (LONE_SURROGATE, "application/json", 422, "invalid-request"),
        (b'{"name": NaN}', "application/json", 422, "invalid-request"),
        (b'{"name": "broken"}', "application/json", 409, "thing-broken"),
    ],
)
async def test_a_body_that_cannot_be_taken(toy: Toy, content: bytes, kind: str, status: int, code: str):
    headers = toy.as_("admin") | ({"content-type": kind} if kind else {})
    answer = await toy.http.post("/v1/things", content=content, headers=headers)
    problem = assert_problem(answer, status, code)
    if code == "invalid-request":
        assert all(item["pointer"][:1] in {"", "/"} for item in problem["errors"])
    assert await toy.execute("SELECT 1 FROM things") == []


async def test_a_crash_in_a_command_leaves_nothing_behind(toy: Toy):
    answer = await toy.http.post("/v1/things", json={"name": "crash"}, headers=toy.as_("admin"))
    assert_problem(answer, 500, "internal-error")
    assert await toy.execute("SELECT 1 FROM things") == []


async def test_field_errors_point_at_the_field_and_do_not_echo_what_was_sent(toy: Toy):
    body = {"name": ["secret"], "a/b~c": "secret"}
    answer = await toy.http.post("/v1/things", content=json.dumps(body), headers=toy.as_("admin") | JSON)
    problem = assert_problem(answer, 422, "invalid-request")
    assert [item["pointer"] for item in problem["errors"]] == ["/name", "/a~1b~0c"]


JSON = {"content-type": "application/json"}


async def test_a_pool_with_nothing_left_answers_503(toy: Toy):
    held = [await toy.engine.connect() for _ in range(25)]
    try:
        answer = await toy.http.get("/v1/things", headers=toy.as_("admin"))
        assert_problem(answer, 503, "temporarily-unavailable")
    finally:
        for connection in held:
            await connection.close()


async def test_without_its_database_the_api_is_not_ready_and_answers_503(toy: Toy):
    assert (await toy.http.get("/health/ready")).status_code == 200
    nowhere = build_engine(
        "postgresql://nobody:x@127.0.0.1:1/nothing", schema="public", application_name="test"
    )
    app = create_app(dataclasses.replace(toy.app.state.parts, engine=nowhere))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://toy") as http:
        assert_problem(await http.get("/health/ready"), 503, "not-ready")
        answer = await http.get("/v1/things", headers=toy.as_("admin"))
        assert_problem(answer, 503, "temporarily-unavailable")
        assert (await http.get("/health/live")).json() == {"status": "live"}


async def test_a_stopping_process_is_not_ready(toy: Toy):
    toy.app.state.stopping = True
    problem = assert_problem(await toy.http.get("/health/ready"), 503, "not-ready")
    assert problem["checks"] == {"process": "stopping"}


async def test_no_connection_is_left_checked_out(toy: Toy):
    paths = ["/v1/things", "/v1/failures/crash", "/v1/failures/busy", "/v1/failures/none"] * 5
    await asyncio.gather(*(toy.http.get(path, headers=toy.as_("admin")) for path in paths))
    assert toy.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


async def test_a_read_cannot_write_and_sees_one_snapshot(toy: Toy):
    async with toy.engine.connect() as connection:
        await begin_snapshot(connection)
        before = (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one()
        await toy.add_thing()
        assert (await connection.execute(text("SELECT count(*) FROM things"))).scalar_one() == before
        isolation = (await connection.execute(text("SHOW transaction_isolation"))).scalar_one()
        assert isolation == "repeatable read"
