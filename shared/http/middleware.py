"""Pure ASGI middleware (BaseHTTPMiddleware leaks connections): correlation, request metrics, body limits."""

import re
import time
from collections.abc import Mapping

import structlog
from fastapi import HTTPException
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import problem_response
from shared.runtime.correlation import Correlation, bind_correlation, new_correlation, new_traceparent
from shared.runtime.logging import get_logger

REQUESTS = Counter("http_requests_total", "Requests by route and status.", ["method", "route", "status"])
SECONDS = Histogram("http_request_seconds", "Time to answer, in seconds.", ["method", "route"])

_SAFE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = get_logger(__name__)


class RequestContext:
    """Gives a request its correlation, answers with it, counts and times by route template."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        correlation = _correlation_of(Headers(scope=scope))
        bind_correlation(correlation)
        structlog.contextvars.bind_contextvars(correlation_id=correlation.correlation_id)
        started = time.perf_counter()
        status = 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["x-request-id"] = correlation.correlation_id
                headers["x-content-type-options"] = "nosniff"
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            # What callers make up must not become a label: each value is a time series for good.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            SECONDS.labels(method, route).observe(time.perf_counter() - started)
            REQUESTS.labels(method, route, status).inc()
            log.debug("request", method=scope["method"], path=scope["path"], status=status)


def _correlation_of(headers: Headers) -> Correlation:
    request_id, traceparent = headers.get("x-request-id", ""), headers.get("traceparent", "")
    fresh = new_correlation()
    return Correlation(
        correlation_id=request_id if _SAFE_ID.fullmatch(request_id) else fresh.correlation_id,
        traceparent=traceparent if _TRACEPARENT.fullmatch(traceparent) else new_traceparent(),
    )


class BodyTooLarge(HTTPException):
    """The body grew over the limit while it was read.

    An HTTPException, because FastAPI takes any other exception of its body parser for malformed JSON.
    """


class BodyLimit:
    """Refuses bodies over the limit, by what arrives and not only by Content-Length."""

    def __init__(self, app: ASGIApp, *, limit: int, larger: Mapping[str, int]) -> None:
        self._app = app
        self._limit = limit
        self._larger = {path: bytes_ for path, bytes_ in larger.items() if "{" not in path}
        self._templates = [(_compile(path), bytes_) for path, bytes_ in larger.items() if "{" in path]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limit_of(scope["path"])
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdigit() and int(declared) > limit:
            await _too_large(limit, scope["path"])(scope, receive, send)
            return
        await self._count(limit, scope, receive, send)

    def _limit_of(self, path: str) -> int:
        if (exact := self._larger.get(path)) is not None:
            return exact
        return next((limit for template, limit in self._templates if template.fullmatch(path)), self._limit)

    async def _count(self, limit: int, scope: Scope, receive: Receive, send: Send) -> None:
        received, answering = 0, False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise BodyTooLarge(413, _over(limit))
            return message

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._app(scope, counted, watched)
        except BodyTooLarge:
            if answering:
                raise
            await _too_large(limit, scope["path"])(scope, receive, send)


def _compile(template: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{\w+\}", template)))


def _too_large(limit: int, path: str) -> ASGIApp:
    return problem_response(413, "body-too-large", _over(limit), instance=path)


def _over(limit: int) -> str:
    return f"The body is over {limit} bytes; send it in parts."
