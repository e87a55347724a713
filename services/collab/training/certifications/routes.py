"""Certifications over HTTP."""

from fastapi import APIRouter, Response

from services.collab.training.certifications import commands, queries
from services.collab.training.certifications.commands import CreateCertification, UpdateCertification
from services.collab.training.certifications.queries import CertificationRow
from services.collab.training.certifications.schemas import (
    CertificationTermsBody,
    CertificationView,
    CodeInPath,
    NewCertificationBody,
)
from shared.http.commands import RunCommand, Snapshot
from shared.http.etags import ExpectedVersion, etag_of
from shared.http.pagination import Page, PageParameters, page_of
from shared.http.problems import describe
from shared.http.security import Admin, Reader

router = APIRouter(prefix="/v1/certifications", tags=["certifications"])


@router.post("", status_code=201, response_model=CertificationView, responses=describe(409))
async def create_certification(by: Admin, run: RunCommand, body: NewCertificationBody) -> Response:
    """Make a certification that reps may hold."""
    return await run.run(
        commands.create_certification,
        CreateCertification(body.certification(body.certification_code)),
        by=by,
        show=CertificationView.model_validate,
        status=201,
        version=_version,
        location=lambda row: f"/v1/certifications/{row.certification_code}",
    )


@router.get("")
async def list_certifications(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    page: PageParameters,
) -> Page[CertificationView]:
    """List certifications in the order they were made."""
    rows = await queries.list_certifications(read, after=page.after, limit=page.limit + 1)
    items, cursor = page_of(rows, page, lambda row: row.certification_id)
    return Page(items=[CertificationView.model_validate(item) for item in items], next_cursor=cursor)


@router.get("/{certification_code}")
async def get_certification(
    by: Reader,  # noqa: ARG001 - the same for every reader
    read: Snapshot,
    certification_code: CodeInPath,
    response: Response,
) -> CertificationView:
    """Return one certification."""
    found = await queries.find_certification(read, certification_code)
    response.headers["etag"] = etag_of(found.version)
    return CertificationView.model_validate(found)


@router.put("/{certification_code}", response_model=CertificationView)
async def put_certification(
    by: Admin,
    run: RunCommand,
    certification_code: CodeInPath,
    version: ExpectedVersion,
    body: CertificationTermsBody,
) -> Response:
    """Change a certification. Awards keep the days they were granted for."""
    command = UpdateCertification(body.certification(certification_code), version)
    return await run.run(
        commands.update_certification,
        command,
        by=by,
        show=CertificationView.model_validate,
        version=_version,
    )


def _version(row: CertificationRow) -> int:
    return row.version
