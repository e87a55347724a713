"""A toy api over the HTTP frame: things that lie in territories, and routes that go wrong in every way."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, FastAPI, Request, Response
from sqlalchemy import text
from starlette.exceptions import HTTPException

from shared.db.migrations import backbone_statements
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.http.app import create_service_app
from shared.http.bodies import Body, Name, View
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.parts import Parts
from shared.http.problems import describe
from shared.http.security import Admin, Manager, Planner, Reader, Writer
from shared.runtime.ids import new_id
from shared.runtime.refusals import NotFound, Refusal, VersionMismatch

SERVICE = "metrics"  # any of the three: the roles and the schema are what we need
STATEMENTS = [
    *backbone_statements(SERVICE),
    "CREATE TABLE things (thing_id uuid PRIMARY KEY, territory_id uuid, version int NOT NULL, name text NOT NULL)",
    "CREATE TABLE live_closure (ancestor_id uuid, territory_id uuid)",
]
LIMIT, LARGER = 2_000, 200_000

router = APIRouter(prefix="/v1")


class ThingBroken(Refusal):
    """A refusal of this service's own."""


class NobodyMappedThis(Refusal):
    """A refusal that is missing in the service's table."""


class ThingBody(Body):
    name: Name
    territory_id: UUID | None = None


class ThingView(View):
    thing_id: UUID
    name: str
    version: int


@dataclass(frozen=True)
class MakeThing:
    name: str
    territory_id: UUID | None = None


@dataclass(frozen=True)
class RenameThing:
    thing_id: UUID
    name: str
    version: int
    scope: Scope


class Gate:
    """Lets a test hold a command inside its transaction."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.open = asyncio.Event()


async def make_thing(command: MakeThing, uow: UnitOfWork) -> ThingView:
    thing = ThingView(thing_id=new_id(), name=command.name, version=1)
    await uow.connection.execute(
        text("INSERT INTO things VALUES (:thing, :territory, 1, :name)"),
        {"thing": thing.thing_id, "territory": command.territory_id, "name": command.name},
    )
    if command.name == "broken":
        raise ThingBroken("name: a thing cannot be broken.")
    if command.name == "crash":
        raise RuntimeError("secret detail")
    return thing


async def rename_thing(command: RenameThing, uow: UnitOfWork) -> ThingView:
    lock = text(
        f"SELECT version FROM things WHERE thing_id = :thing AND {Scope.covers('territory_id')} FOR UPDATE"
    )
    row = (
        await uow.connection.execute(lock, {"thing": command.thing_id, **command.scope.parameters()})
    ).one_or_none()
    if row is None:
        raise NotFound("thing_id: no such thing.")
    if row.version != command.version:
        raise VersionMismatch("If-Match: the thing has changed.")
    await uow.connection.execute(
        text("UPDATE things SET name = :name, version = version + 1 WHERE thing_id = :thing"),
        {"thing": command.thing_id, "name": command.name},
    )
    return ThingView(thing_id=command.thing_id, name=command.name, version=row.version + 1)


@router.get("/things")
async def list_things(by: Reader, read: Snapshot, page: PageParameters) -> Page[ThingView]:
    rows = await read.execute(
        text(
            "SELECT thing_id, name, version FROM things WHERE (CAST(:after AS uuid) IS NULL OR thing_id > :after) "
            f"AND {Scope.covers('territory_id')} ORDER BY thing_id LIMIT :limit"
        ),
        {"after": page.after, "limit": page.limit + 1, **by.scope.parameters()},
    )
    items, cursor = page_of(rows.all(), page, lambda row: row.thing_id)
    return Page(items=[ThingView.model_validate(item) for item in items], next_cursor=cursor)


@router.post("/things", status_code=201, response_model=ThingView, responses=describe(409))
async def create_thing(
    by: Writer,
    run: RunCommand,
    body: ThingBody,
    urgent: int = 0,
) -> Response:
    command = MakeThing(body.name, body.territory_id)
    return await run.run(
        make_thing,
        command,
        by=by,
        show=lambda thing: thing,
        status=201,
        version=lambda thing: thing.version,
        location=lambda thing: f"/v1/things/{thing.thing_id}",
    )


@router.put("/things/{thing_id}", response_model=ThingView)
async def put_thing(
    by: Writer, run: RunCommand, thing_id: UUID, version: ExpectedVersion, body: ThingBody
) -> Response:
    command = RenameThing(thing_id, body.name, version, by.scope)
    return await run.run(
        rename_thing, command, by=by, show=lambda thing: thing, version=lambda thing: thing.version
    )


@router.post("/slow-things", status_code=201, response_model=ThingView)
async def create_slow_thing(by: Writer, run: RunCommand, body: ThingBody, request: Request) -> Response:
    gate: Gate = request.app.state.gate

    async def slowly(command: MakeThing, uow: UnitOfWork) -> ThingView:
        gate.entered.set()
        await gate.open.wait()
        return await make_thing(command, uow)

    return await run.run(slowly, MakeThing(body.name), by=by, show=lambda thing: thing, status=201)


@router.post("/uploads")
async def upload(by: Writer, request: Request) -> dict[str, int]:
    return await _count(request)


@router.post("/albums/{album}/uploads")
async def upload_to(by: Writer, request: Request, album: str) -> dict[str, int]:
    return await _count(request)


async def _count(request: Request) -> dict[str, int]:
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
    return {"received": received}


@router.get("/managers")
async def for_managers(by: Manager) -> str:
    return by.subject


@router.get("/planners")
async def for_planners(by: Planner) -> str:
    return by.subject


@router.get("/admins")
async def for_admins(by: Admin) -> str:
    return by.subject


@router.get("/failures/{kind}")
async def fail(by: Reader, read: Snapshot, kind: str) -> None:
    match kind:
        case "crash":
            raise RuntimeError("secret detail")
        case "unmapped":
            raise NobodyMappedThis("kind: choose another one.")
        case "unavailable":
            raise ConnectionRefusedError
        case "busy":
            await read.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '55P03'; END $$"))
        case "write":
            await read.execute(text("INSERT INTO things VALUES (uuidv7(), NULL, 1, 'x')"))
        case "nul":
            await read.execute(text("SELECT CAST(:name AS text)"), {"name": "a\x00b"})
        case "teapot":
            raise HTTPException(418, headers={"x-pot": "tea"})
        case _:
            raise NotFound("kind: no such failure.")


@router.get("/found")
async def find_by(by: Reader, name: Annotated[str, Name.__metadata__[0]]) -> str:
    return name


def create_app(parts: Parts) -> FastAPI:
    app = create_service_app(
        parts,
        title="Toy",
        description="A toy.",
        routers=[router],
        refusals={ThingBroken: 409},
        larger_bodies={"/v1/uploads": LARGER, "/v1/albums/{album}/uploads": LARGER},
    )
    app.state.gate = Gate()
    return app
