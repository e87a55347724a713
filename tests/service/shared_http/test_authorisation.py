"""Who may call what: every role on every policy, scopes, and routes nobody decided on."""

from uuid import UUID, uuid4

import pytest
from fastapi import APIRouter

from shared.http.app import create_service_app
from shared.http.principal import Role
from shared.http.security import RouteWithoutPolicy
from tests.service.shared_http.conftest import Toy

ROOT, NORTH, SOUTH = (UUID(int=n) for n in (1, 2, 3))
ROLES = [role.value for role in Role]
MAY = {
    "GET /v1/things": set(ROLES),
    "POST /v1/things": {"contributor", "manager", "admin", "service"},
    "GET /v1/managers": {"manager", "admin", "service"},
    "GET /v1/planners": {"manager", "admin", "service"},
    "GET /v1/admins": {"admin"},
}
WHOLE_ORGANISATION = {"GET /v1/planners", "GET /v1/admins"}


async def _call(toy: Toy, operation: str, headers: dict[str, str]):
    method, path = operation.split()
    body = {"name": "x"} if method == "POST" else None
    return await toy.http.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize("operation", MAY)
async def test_roles(toy: Toy, operation: str):
    for role in [*ROLES, "superuser", "ADMIN", ""]:
        allowed = role in MAY[operation]
        answer = await _call(toy, operation, toy.as_(role))
        assert (answer.status_code < 300) == allowed, (role, answer.text)
        if not allowed:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        scoped = await _call(toy, operation, toy.as_(role, territories=[NORTH]))
        if allowed and operation in WHOLE_ORGANISATION:
            assert (scoped.status_code, scoped.json()["code"]) == (403, "outside-scope")
        else:
            assert scoped.status_code == answer.status_code


@pytest.mark.parametrize("roles", [None, "admin", {"admin": True}, [["admin"]], [None], 7])
async def test_roles_that_are_no_list_of_names_are_none(toy: Toy, roles: object):
    headers = {"authorization": f"Bearer {toy.issuer.token(roles=roles)}"}
    answer = await toy.http.get("/v1/things", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_who_asks_comes_before_what(toy: Toy):
    """A stranger learns nothing from validation errors."""
    answer = await toy.http.post("/v1/things", json={"wrong": 1})
    assert answer.status_code == 401
    assert (await toy.http.get("/v1/things?cursor=x")).status_code == 401


async def test_a_scope_is_a_subtree_resolved_at_the_moment_of_asking(toy: Toy):
    for ancestor, territory in ((ROOT, ROOT), (ROOT, NORTH), (ROOT, SOUTH), (NORTH, NORTH), (SOUTH, SOUTH)):
        await toy.execute("INSERT INTO live_closure VALUES (:a, :t)", a=ancestor, t=territory)
    things = {at: str(await toy.add_thing(at)) for at in (ROOT, NORTH, SOUTH, None, uuid4())}

    async def seen(territories: object) -> set[str]:
        answer = await toy.http.get("/v1/things", headers=toy.as_("viewer", territories=territories))
        return {item["thing_id"] for item in answer.json()["items"]}

    assert await seen([NORTH]) == {things[NORTH]}
    assert await seen([ROOT]) == {things[ROOT], things[NORTH], things[SOUTH]}
    assert await seen([NORTH, SOUTH]) == {things[NORTH], things[SOUTH]}
    assert await seen([]) == await seen([uuid4()]) == set()
    assert await seen("*") == set(things.values())
    await toy.execute("INSERT INTO live_closure VALUES (:a, :t)", a=NORTH, t=SOUTH)
    assert await seen([NORTH]) == {things[NORTH], things[SOUTH]}


@pytest.mark.parametrize("claim", [None, "", "**", {"*": 1}, "00000000-0000-0000-0000-000000000002"])
async def test_a_scope_that_is_not_understood_is_empty(toy: Toy, claim: object):
    await toy.execute("INSERT INTO live_closure VALUES (:a, :a)", a=NORTH)
    await toy.add_thing(NORTH)
    headers = {"authorization": f"Bearer {toy.issuer.sign(_claims(toy, claim))}"}
    assert (await toy.http.get("/v1/things", headers=headers)).json()["items"] == []


def _claims(toy: Toy, claim: object) -> dict:
    return {**toy.issuer.claims("viewer"), "territories": claim}


async def test_a_write_outside_the_scope_is_not_found(toy: Toy):
    await toy.execute("INSERT INTO live_closure VALUES (:a, :a)", a=NORTH)
    thing = await toy.add_thing(SOUTH)
    headers = toy.as_("contributor", territories=[NORTH]) | {"if-match": '"1"'}
    answer = await toy.http.put(f"/v1/things/{thing}", json={"name": "mine"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_a_route_without_a_policy_keeps_the_service_from_starting(toy: Toy):
    router = APIRouter()

    @router.get("/v1/open-door")
    async def open_door() -> str:
        return "come in"

    with pytest.raises(RouteWithoutPolicy, match="/v1/open-door"):
        create_service_app(toy.app.state.parts, title="x", description="x", routers=[router], refusals={})
