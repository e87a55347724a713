"""Imports over HTTP: a file as the body, a report of its rows as the answer."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Request, Response

from services.assignment.imports.commands import ImportAccounts, ImportReps, import_accounts, import_reps
from services.assignment.imports.import_file import ImportFile, read_account, read_import_file, read_rep
from services.assignment.imports.schemas import ImportReportView, file_body
from shared.http.commands import RunCommand
from shared.http.problems import describe
from shared.http.security import Planner

router = APIRouter(tags=["imports"])
T = TypeVar("T")

ACCOUNTS_PATH = "/v1/accounts/imports"
REPS_PATH = "/v1/reps/imports"


async def _read(request: Request, read_row: Callable[[dict[str, Any]], T]) -> ImportFile[T]:
    body = await request.body()
    # 100,000 rows take a second of pure work: elsewhere, so that the api goes on answering.
    return await asyncio.to_thread(read_import_file, request.headers.get("content-type", ""), body, read_row)


@router.post(
    ACCOUNTS_PATH,
    response_model=ImportReportView,
    responses=describe(415),
    openapi_extra=file_body(
        "external_id,name,postal_code,county,state,industry,employees\nA-1,Acme,01841,25009,MA,NA,120\n",
        '{"external_id": "A-1", "name": "Acme", "postal_code": "01841", "county": "25009", "employees": 120}\n',
    ),
)
async def create_account_import(by: Planner, run: RunCommand, request: Request) -> Response:
    """Register accounts, or change them, by external id.

    A blank is a missing value and clears what was there; "NA" is text. Rows that are wrong are reported
    and left out, the others are stored together. With a live plan, what is new or different is aligned.
    """
    file = await _read(request, read_account)
    return await run.run(import_accounts, ImportAccounts(file), by=by, show=ImportReportView.model_validate)


@router.post(
    REPS_PATH,
    response_model=ImportReportView,
    responses=describe(415),
    openapi_extra=file_body(
        "external_id,name,postal_code,languages,industries\nR-1,Ada Diaz,01841,en;es,retail;food\n",
        '{"external_id": "R-1", "name": "Ada Diaz", "postal_code": "01841", "languages": ["en", "es"]}\n',
    ),
)
async def create_rep_import(by: Planner, run: RunCommand, request: Request) -> Response:
    """Register reps, or change them, by external id."""
    file = await _read(request, read_rep)
    return await run.run(import_reps, ImportReps(file), by=by, show=ImportReportView.model_validate)
