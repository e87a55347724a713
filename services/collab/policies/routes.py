"""Policies over HTTP: drafting and publishing them, acknowledging them, and who has yet to."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Response

from services.collab.policies import queries
from services.collab.policies.commands.acknowledge_policy import AcknowledgePolicy, acknowledge_policy
from services.collab.policies.commands.write_policy import (
    PublishPolicy,
    PutDraft,
    publish_policy,
    put_draft,
)
from services.collab.policies.schemas import (
    AcknowledgementBody,
    AcknowledgementView,
    DraftBody,
    DraftView,
    OutstandingView,
    PolicyVersionView,
    PolicyView,
)
from services.collab.protocols.schemas import CodeInPath
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, VersionIfSent, etag_of
from shared.http.pagination import InvalidCursor, Page, PageParameters, PageRequest, page_of
from shared.http.present import Now
from shared.http.problems import describe
from shared.http.security import Admin, Reader, Writer

router = APIRouter(prefix="/v1/policies", tags=["policies"])

_MAX_VERSION = 2**31 - 1
VersionInPath = Annotated[int, Path(ge=1, le=_MAX_VERSION)]


@router.get("")
async def list_policies(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    now: Now,
    page: PageParameters,
) -> Page[PolicyView]:
    """List policies in the order they were first drafted."""
    rows = await queries.list_policies(read, at=now, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.policy_id)
    return Page(items=[PolicyView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{code}")
async def get_policy(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    now: Now,
    code: CodeInPath,
    response: Response,
) -> PolicyView:
    """Return how a policy stands."""
    found = await queries.find_policy(read, code, at=now)
    response.headers["etag"] = etag_of(found.revision)
    return PolicyView.model_validate(found)


@router.get("/{code}/draft")
async def get_policy_draft(
    by: Admin,  # noqa: ARG001 - who drafts reads drafts
    read: Snapshot,
    code: CodeInPath,
    response: Response,
) -> DraftView:
    """Return what the next version would say."""
    found = await queries.find_draft(read, code)
    response.headers["etag"] = etag_of(found.revision)
    return DraftView.model_validate(found)


@router.put("/{code}/draft", response_model=PolicyView, responses=describe(404, 428))
async def put_policy_draft(
    by: Admin, run: RunCommand, code: CodeInPath, revision: VersionIfSent, body: DraftBody
) -> Response:
    """Draft a policy, or with its ETag the next version. What is published stays as it is."""
    command = PutDraft(code, revision, body.draft())
    return await run.run(
        put_draft, command, by=by, show=PolicyView.model_validate, version=lambda row: row.revision
    )


@router.post(
    "/{code}/publications",
    status_code=201,
    response_model=PolicyVersionView,
    responses=describe(404, 409),
)
async def create_policy_publication(
    by: Admin, run: RunCommand, code: CodeInPath, revision: ExpectedVersion
) -> Response:
    """Publish the draft as the next version. Whom it concerns is asked to acknowledge it, all of them anew."""
    return await run.run(
        publish_policy,
        PublishPolicy(code, revision),
        by=by,
        show=PolicyVersionView.model_validate,
        status=201,
        location=lambda row: f"/v1/policies/{row.code}/versions/{row.version}",
    )


@router.get("/{code}/versions")
async def list_policy_versions(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    now: Now,
    code: CodeInPath,
    page: PageParameters,
) -> Page[PolicyVersionView]:
    """List what was published, the first version first."""
    rows = await queries.list_versions(read, code, at=now, after=_version_after(page), limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: UUID(int=row.version))
    return Page(items=[PolicyVersionView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{code}/versions/{version}")
async def get_policy_version(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    now: Now,
    code: CodeInPath,
    version: VersionInPath,
) -> PolicyVersionView:
    """Return one version."""
    return PolicyVersionView.model_validate(await queries.find_version(read, code, version, at=now))


@router.post(
    "/{code}/versions/{version}/acknowledgements",
    response_model=AcknowledgementView,
    responses=describe(404, 409),
)
async def create_acknowledgement(
    by: Writer, run: RunCommand, code: CodeInPath, version: VersionInPath, body: AcknowledgementBody
) -> Response:
    """Acknowledge the version in force or one to come for yourself: your token's subject is the rep.

    Again changes nothing.
    """
    command = AcknowledgePolicy(code, version, body.fingerprint, _rep(by.subject))
    return await run.run(acknowledge_policy, command, by=by, show=AcknowledgementView.model_validate)


@router.get("/{code}/versions/{version}/acknowledgements")
async def list_acknowledgements(
    by: Reader, read: Snapshot, now: Now, code: CodeInPath, version: VersionInPath, page: PageParameters
) -> Page[AcknowledgementView]:
    """List who acknowledged a version: reps who cover a territory in your scope, and yourself."""
    found = await queries.find_version(read, code, version, at=now)
    rows = await queries.list_acknowledgements(
        read, found, at=now, viewer=by.subject, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.rep_id)
    return Page(items=[AcknowledgementView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{code}/outstanding-acknowledgements")
async def list_outstanding_acknowledgements(
    by: Reader, read: Snapshot, now: Now, code: CodeInPath, page: PageParameters
) -> Page[OutstandingView]:
    """List who has yet to acknowledge the version in force or one to come: reps in your scope, and yourself."""
    policy = await queries.find_policy(read, code, at=now)
    rows = await queries.list_outstanding(
        read, policy, at=now, viewer=by.subject, scope=by.scope, after=page.after, limit=page.limit + 1
    )
    items, cursor = page_of(rows, page, lambda row: row.rep_id)
    return Page(items=[OutstandingView.model_validate(item) for item in items], next_cursor=cursor)


def _rep(subject: str) -> UUID | None:
    try:
        return UUID(subject)
    except ValueError:
        return None


def _version_after(page: PageRequest) -> int:
    # Cursors carry ids; a version travels as the id of that number, so another list's cursor is out of range.
    after = 0 if page.after is None else page.after.int
    if after > _MAX_VERSION:
        raise InvalidCursor("cursor: send next_cursor exactly as you got it, or leave it out.")
    return after
