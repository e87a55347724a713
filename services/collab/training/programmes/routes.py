"""Training programmes over HTTP."""

from uuid import UUID

from fastapi import APIRouter, Response

from services.collab.training.programmes import commands, queries
from services.collab.training.programmes.commands import CreateProgramme, ReviseProgramme
from services.collab.training.programmes.queries import ProgrammeRow
from services.collab.training.programmes.schemas import ProgrammeBody, ProgrammeView
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import InvalidCursor, Page, PageParameters, PageRequest, page_of
from shared.http.security import Planner, Reader

router = APIRouter(prefix="/v1/programmes", tags=["training"])

_MAX_VERSION = 2**31 - 1


@router.post("", status_code=201, response_model=ProgrammeView)
async def create_programme(by: Planner, run: RunCommand, body: ProgrammeBody) -> Response:
    """Publish a programme. Whom its rule names is enrolled within seconds, and as coverage begins."""
    return await run.run(
        commands.create_programme,
        CreateProgramme(body.content()),
        by=by,
        show=ProgrammeView.of,
        status=201,
        version=_version,
        location=lambda row: f"/v1/programmes/{row.programme_id}",
    )


@router.get("")
async def list_programmes(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[ProgrammeView]:
    """List programmes at their latest versions, in the order they were made."""
    rows = await queries.list_programmes(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.programme_id)
    return Page(items=[ProgrammeView.of(item) for item in items], next_cursor=cursor)


@router.get("/{programme_id}")
async def get_programme(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    programme_id: UUID,
    response: Response,
) -> ProgrammeView:
    """Return a programme at its latest version."""
    found = await queries.find_programme(read, programme_id)
    response.headers["etag"] = etag_of(found.version)
    return ProgrammeView.of(found)


@router.put("/{programme_id}", response_model=ProgrammeView)
async def put_programme(
    by: Planner, run: RunCommand, programme_id: UUID, version: ExpectedVersion, body: ProgrammeBody
) -> Response:
    """Publish another version. Who is enrolled goes on under the version they were enrolled in."""
    command = ReviseProgramme(programme_id, version, body.content())
    return await run.run(commands.revise_programme, command, by=by, show=ProgrammeView.of, version=_version)


@router.get("/{programme_id}/versions")
async def list_programme_versions(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    programme_id: UUID,
    page: PageParameters,
) -> Page[ProgrammeView]:
    """List every version of a programme, the first one first."""
    rows = await queries.list_versions(read, programme_id, after=_version_after(page), limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: UUID(int=row.version))
    return Page(items=[ProgrammeView.of(item) for item in items], next_cursor=cursor)


def _version_after(page: PageRequest) -> int:
    # Cursors carry ids; a version travels as the id of that number, so another list's cursor is out of range.
    after = 0 if page.after is None else page.after.int
    if after > _MAX_VERSION:
        raise InvalidCursor("cursor: send next_cursor exactly as you got it, or leave it out.")
    return after


def _version(row: ProgrammeRow) -> int:
    return row.version
