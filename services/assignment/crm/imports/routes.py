"""Imports from CRMs over HTTP."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.assignment.crm.imports.commands.import_document import ImportDocument, import_document
from services.assignment.crm.imports.document import read_document
from services.assignment.crm.imports.schemas import DOCUMENT_BODY, CrmImportView
from services.assignment.crm.shapes import System
from shared.http.commands import RunCommand
from shared.http.problems import describe
from shared.http.security import Planner

router = APIRouter(tags=["crm"])

IMPORT_PATHS = tuple(f"/v1/crm/{system}/imports" for system in System)


@router.post(
    "/v1/crm/{system}/imports",
    response_model=CrmImportView,
    responses=describe(409),
    openapi_extra=DOCUMENT_BODY,
)
async def create_crm_import(
    by: Planner,
    run: RunCommand,
    request: Request,
    system: System,
    *,
    dry_run: Annotated[bool, Query(description="Tell what would become of it, and keep nothing.")] = False,
) -> Response:
    """Take over accounts, reps, a plan and its coverage as the CRM's API gives them, by external id.

    `Territory2Model` becomes a draft, with what the document leaves out as it was: the same document twice changes
    nothing. A rule that is inherited is joined by AND to the rules below. Wrong rows are reported with what
    depends on them, the others are stored together.
    """
    document = await asyncio.to_thread(read_document, system, await request.body())
    return await run.run(
        import_document, ImportDocument(system, document, dry_run), by=by, show=CrmImportView.of
    )
