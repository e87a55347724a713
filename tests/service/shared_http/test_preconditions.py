"""ETags, pages, body limits and correlation, through the whole stack."""

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from shared.http.pagination import encode_cursor
from tests.service.shared_http.conftest import Toy
from tests.service.shared_http.toy_api import LARGER, LIMIT

SOME = UUID(int=5)


async def test_of_two_changes_with_one_etag_one_wins(toy: Toy):
    thing = await toy.add_thing()
    headers = {**toy.as_("contributor"), "if-match": '"1"'}
    answers = await asyncio.gather(
        *(toy.http.put(f"/v1/things/{thing}", json={"name": "y"}, headers=headers) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 9
    (won,) = (answer for answer in answers if answer.status_code == 200)
    assert won.headers["etag"] == '"2"'


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        (None, 428),
        ('"1"', 200),
        (' "1" ', 200),
        ('"2"', 412),
        ("1", 412),
        ('W/"1"', 412),
        ('"01"', 412),
        ('"0"', 412),
        ('"-1"', 412),
        ('"1", "2"', 412),
        ("*", 412),
        ("", 412),
        ('"99999999999999999999"', 412),
        ('"2147483648"', 412),
        ("x" * 65, 422),
    ],
)
async def test_if_match(toy: Toy, tag: str | None, status: int):
    thing = await toy.add_thing()
    headers = toy.as_("contributor") | ({} if tag is None else {"if-match": tag})
    answer = await toy.http.put(f"/v1/things/{thing}", json={"name": "y"}, headers=headers)
    assert answer.status_code == status, answer.text


async def test_pages_go_on_where_the_last_one_ended(toy: Toy):
    for _ in range(7):
        await toy.add_thing()
    seen, cursor = [], None
    while True:
        parameters = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = (await toy.http.get("/v1/things", params=parameters, headers=toy.as_("viewer"))).json()
        seen += [item["thing_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        await toy.add_thing()
    assert len(seen) == len(set(seen)) >= 7
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "%00",
        "=" * 10,
        encode_cursor(SOME)[:-2],
        encode_cursor(SOME) + "AA",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"[1]").decode(),
        base64.urlsafe_b64encode(b"null").decode(),
        base64.urlsafe_b64encode(b'["\' OR 1=1 --"]').decode(),
        base64.urlsafe_b64encode(b'["' + b"f" * 32 + b'", 1]').decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 120).decode(),
        base64.urlsafe_b64encode(json.dumps([str(SOME)]).encode()).decode() + "\n",
    ],
)
async def test_a_cursor_that_is_not_ours_is_refused(toy: Toy, cursor: str):
    answer = await toy.http.get("/v1/things", params={"cursor": cursor}, headers=toy.as_("viewer"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


async def test_a_cursor_of_another_caller_shows_only_ones_own(toy: Toy):
    await toy.add_thing()
    cursor = encode_cursor(uuid4())
    headers = toy.as_("viewer", territories=[uuid4()])
    answer = await toy.http.get("/v1/things", params={"cursor": cursor}, headers=headers)
    assert answer.json() == {"items": [], "next_cursor": None}


async def _chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_over_the_limit_is_refused_by_its_declared_length(toy: Toy):
    body = {"name": "x" * LIMIT}
    answer = await toy.http.post("/v1/things", json=body, headers=toy.as_("contributor"))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/things", "/v1/uploads"])
async def test_a_body_over_the_limit_is_refused_while_it_streams(toy: Toy, path: str):
    """Chunked, without Content-Length; read by FastAPI in one case, by the route itself in the other."""
    headers = {**toy.as_("contributor"), "content-type": "application/json"}
    size = LIMIT if path == "/v1/things" else LARGER
    answer = await toy.http.post(path, content=_chunks(size // 4, 6), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("path", ["/v1/uploads", "/v1/albums/summer/uploads"])
async def test_a_route_may_take_more(toy: Toy, path: str):
    headers = toy.as_("contributor")
    answer = await toy.http.post(path, content=_chunks(LARGER // 4, 4), headers=headers)
    assert answer.json() == {"received": LARGER}
    beyond = await toy.http.post(path, content=_chunks(LARGER // 4, 5), headers=headers)
    assert (beyond.status_code, beyond.json()["code"]) == (413, "body-too-large")


@pytest.mark.parametrize("path", ["/v1/albums/a/b/uploads", "/v1/albums//uploads", "/v1/albums/a/uploads/b"])
async def test_what_a_route_may_take_is_no_others(toy: Toy, path: str):
    answer = await toy.http.post(path, content=b"x" * (LIMIT + 1), headers=toy.as_("contributor"))
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_stranger_cannot_upload(toy: Toy):
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(LARGER // 1000):
            taken += 1
            yield b"x" * 1000

    assert (await toy.http.post("/v1/uploads", content=endless())).status_code == 401


@pytest.mark.parametrize("name", ["ok-1", "A" * 64, "a.b_c-d"])
async def test_a_request_id_is_echoed(toy: Toy, name: str):
    answer = await toy.http.get("/health/live", headers={"x-request-id": name})
    assert answer.headers["x-request-id"] == name


@pytest.mark.parametrize(
    "name", ["", "a b", "A" * 65, "a\nb", "a\r\nset-cookie: x", '"', "é", "{}", "a\n", "$(x)"]
)
async def test_a_request_id_that_could_do_harm_is_replaced(toy: Toy, name: str):
    answer = await toy.http.get("/health/live", headers=[(b"x-request-id", name.encode())])
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
    assert "set-cookie" not in answer.headers


async def test_correlation_and_trace_travel_into_the_outbox(toy: Toy):
    from shared.db.unit_of_work import UnitOfWork  # noqa: PLC0415
    from shared.runtime.correlation import current_correlation  # noqa: PLC0415

    seen = {}

    async def look(_: None, uow: UnitOfWork) -> None:
        seen.update(current_correlation().headers())

    router = toy.app.router

    @toy.app.get("/v1/look")
    async def route() -> None:
        await toy.app.state.parts.transact(look, None)

    trace = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    assert router
    await toy.http.get("/v1/look", headers={"x-request-id": "r-1", "traceparent": trace})
    assert seen == {"correlationid": "r-1", "traceparent": trace}
    await toy.http.get("/v1/look", headers={"x-request-id": "r-1", "traceparent": trace + "\n"})
    assert seen["traceparent"] != trace + "\n"


async def test_answers_are_not_to_be_stored_or_sniffed(toy: Toy):
    for path, headers in (("/v1/things", toy.as_("viewer")), ("/v1/things", {}), ("/nowhere", {})):
        answer = await toy.http.get(path, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_requests_are_counted_by_route_template(toy: Toy):
    """A path as a label would let every caller grow our memory."""
    thing = uuid4()
    await toy.http.put(f"/v1/things/{thing}", json={"name": "y"}, headers=toy.as_("contributor"))
    await toy.http.get(f"/nowhere/{thing}")
    await toy.http.request("BREW", f"/nowhere/{thing}")
    figures = (await toy.http.get("/metrics")).text
    assert 'route="/v1/things/{thing_id}"' in figures
    assert str(thing) not in figures
    assert "BREW" not in figures
