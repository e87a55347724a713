"""RFC 9457: every answer that is not 2xx is a problem document with a stable `code`."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from shared.db.sqlstate import (
    DEADLOCK,
    LOCK_NOT_AVAILABLE,
    QUERY_CANCELED,
    SERIALIZATION_FAILURE,
    sqlstate_of,
)
from shared.db.transact import Overtaken
from shared.http.routes import methods_at
from shared.runtime.logging import get_logger
from shared.runtime.refusals import NotFound, Refusal, VersionMismatch

MEDIA_TYPE = "application/problem+json"
RefusalTable = Mapping[type[Refusal], int]

log = get_logger(__name__)


class FieldProblem(BaseModel):
    """One field that was refused: where it is (JSON pointer, or query/header name) and why."""

    pointer: str
    detail: str


class Problem(BaseModel):
    """A problem document (RFC 9457). `code` is stable; `detail` is for people."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = None
    errors: list[FieldProblem] | None = None


class ProblemResponse(JSONResponse):
    """A problem as it is sent: in ASCII, because it quotes what callers sent, lone surrogates included."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the document."""
        return json.dumps(content, separators=(",", ":")).encode("ascii")


def problem_response(
    status: int,
    code: str,
    detail: str,
    *,
    instance: str | None = None,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> ProblemResponse:
    """Build a problem document as a response."""
    body = {
        "type": f"urn:bailiwick:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": instance,
        **extensions,
    }
    content = {name: value for name, value in body.items() if value is not None}
    return ProblemResponse(content, status_code=status, headers=dict(headers or {}))


def describe(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI `responses` of a route for the problems it can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}


def install_problem_handlers(app: FastAPI, refusals: RefusalTable) -> None:
    """Turn every exception that can leave a route into a problem; the last resort is a bare 500."""
    table: dict[type[Refusal], int] = {NotFound: 404, VersionMismatch: 412, **refusals}

    async def on_refusal(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refusal)  # noqa: S101 - registered for this type
        status = next((table[kind] for kind in type(error).__mro__ if kind in table), 422)
        headers = _HEADERS.get(status)
        return problem_response(
            status, error.code, error.detail, instance=request.url.path, headers=headers, **error.extensions
        )

    app.add_exception_handler(Refusal, on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(PoolTimeout, _on_busy)
    app.add_exception_handler(Overtaken, _on_busy)
    app.add_exception_handler(DBAPIError, _on_database_error)
    app.add_exception_handler(OSError, _on_unavailable)
    app.add_exception_handler(Exception, _on_anything_else)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return _malformed_json(request)
    if any(item["loc"] == ("body",) for item in found) and await request.body() and not _claims_json(request):
        return problem_response(
            415, "unsupported-media-type", "Content-Type: send application/json.", instance=request.url.path
        )
    errors = [_error(item) for item in found[:100]]
    detail = "; ".join(f"{item['pointer'] or 'body'}: {item['detail']}" for item in errors[:3])
    return problem_response(422, "invalid-request", detail, instance=request.url.path, errors=errors)


def _error(item: dict[str, Any]) -> dict[str, str]:
    location, detail = item["loc"], _plain(item["msg"])
    if item["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        # pydantic points at the body, and shows the values as Python writes them.
        location = (*location, item["ctx"]["discriminator"].strip("'"))
        expected = re.findall(r"'([^']*)'", item["ctx"].get("expected_tags", ""))
        detail = f"Input should be one of: {', '.join(expected)}" if expected else "Field required"
    return {"pointer": _pointer(location), "detail": detail}


def _malformed_json(request: Request) -> Response:
    return problem_response(400, "malformed-json", "The body is not valid JSON.", instance=request.url.path)


def _claims_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or (
        media_type.startswith("application/") and media_type.endswith("+json")
    )


def _pointer(location: tuple[int | str, ...]) -> str:
    if location and location[0] == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in location[1:])
    return ".".join(str(part) for part in location)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


_HTTP_CODES = {
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    415: "unsupported-media-type",
}


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    status, headers = error.status_code, error.headers
    if status == HTTPStatus.BAD_REQUEST and _claims_json(request):
        # FastAPI's own refusal of what the parser choked on: bad UTF-8, absurd nesting, endless numbers.
        return _malformed_json(request)
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        # Starlette names the methods of the first route of this path only.
        headers = {"allow": ", ".join(sorted(methods_at(request.app, request.scope["path"])))}
    code = _HTTP_CODES.get(status, re.sub(r"\W+", "-", HTTPStatus(status).phrase.lower()))
    return problem_response(status, code, str(error.detail), instance=request.url.path, headers=headers)


# Postgres: 22021/22P05 text that its encoding cannot hold (NUL), 53xxx resources, 57Pxx and 08xxx the server
# going away.
_UNSTORABLE = {"22021", "22P05"}
_BUSY = {LOCK_NOT_AVAILABLE, QUERY_CANCELED, SERIALIZATION_FAILURE, DEADLOCK}


async def _on_database_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DBAPIError)  # noqa: S101 - registered for this type
    state = sqlstate_of(error) or ""
    if state in _UNSTORABLE:
        return problem_response(
            422, "unstorable-text", "Text must not hold NUL characters.", instance=request.url.path
        )
    if state in _BUSY:
        return await _on_busy(request, error)
    if state[:2] in {"08", "53"} or state.startswith("57P") or error.connection_invalidated:
        return await _on_unavailable(request, error)
    return await _on_anything_else(request, error)


async def _on_busy(request: Request, error: Exception) -> Response:
    detail = "The service is busy; nothing was changed. Try again."
    return _unavailable(request, error, detail, outcome="unchanged")


async def _on_unavailable(request: Request, error: Exception) -> Response:
    # The connection may have gone while the commit was under way: nobody here knows which side of it.
    detail = (
        "A part of the service is away. Whether a change was made is not known: send it again with the same "
        "Idempotency-Key, or look before you do."
    )
    return _unavailable(request, error, detail, outcome="unknown")


def _unavailable(request: Request, error: Exception, detail: str, *, outcome: str) -> Response:
    log.warning("unavailable", path=request.url.path, error=type(error).__name__, outcome=outcome)
    return problem_response(
        503,
        "temporarily-unavailable",
        detail,
        instance=request.url.path,
        headers=_HEADERS[503],
        outcome=outcome,
    )


async def _on_anything_else(request: Request, error: Exception) -> Response:
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return problem_response(
        500, "internal-error", "An unexpected error; it was logged.", instance=request.url.path
    )
