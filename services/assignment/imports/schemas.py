"""Answers of imports, and how their raw bodies are described."""

from typing import Any

from pydantic import Field

from services.assignment.imports.file_rows import CSV, NDJSON
from shared.http.bodies import View


class RowErrorView(View):
    """A row that was not taken."""

    row: int = Field(description="Its line in the file, counted from 1.")
    external_id: str | None
    field: str | None
    detail: str


class ImportReportView(View):
    """What became of the rows: received = registered + changed + unchanged + rejected."""

    received: int
    registered: int
    changed: int
    unchanged: int
    rejected: int
    aligned: int = Field(description="Accounts that got another territory by this import.")
    errors: list[RowErrorView] = Field(description="The first 1,000 rejected rows.")


def file_body(csv: str, ndjson: str) -> dict[str, Any]:
    """Return the OpenAPI of a route that takes a file as its body."""
    content = {
        CSV: {"schema": {"type": "string"}, "example": csv},
        NDJSON: {"schema": {"type": "string"}, "example": ndjson},
    }
    return {"requestBody": {"required": True, "content": content}}
