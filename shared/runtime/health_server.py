"""A port for processes that serve no API: /health/live, /health/ready and /metrics, nothing else.

Thirty lines on asyncio instead of a web framework: probes must not compete with the work for a thread, and
their server must not handle signals.
"""

import asyncio
import json
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.runtime.logging import get_logger
from shared.runtime.probes import Check, failing

log = get_logger(__name__)

_REASONS = {200: "OK", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}
_JSON = "application/json"
_PATIENCE = 5.0


class HealthServer:
    """Answers probes while its block runs. A failing live check means: restart me."""

    def __init__(
        self, *, host: str, port: int, live: Mapping[str, Check], ready: Mapping[str, Check]
    ) -> None:
        self._host = host
        self._port = port
        self._checks = {"/health/live": live, "/health/ready": ready}
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Return the port in use; a free one was picked if 0 was asked for."""
        if self._server is None:
            return self._port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._host, self._port)
        log.info("health port open", host=self._host, port=self.port)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                request = await reader.readuntil(b"\r\n\r\n")
                status, kind, body = await self._answer(request)
                head = (
                    f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: {kind}\r\n"
                    f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                )
                writer.write(head.encode() + body)
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):
            # A scanner or a probe that went away; TimeoutError is an OSError.
            log.debug("health request broken off")
        finally:
            writer.close()

    async def _answer(self, request: bytes) -> tuple[int, str, bytes]:
        words = request.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
        if len(words) != 3 or words[0] != "GET":
            return 405, _JSON, b'{"status":"method not allowed"}'
        path = words[1].split("?", 1)[0]
        if path == "/metrics":
            return 200, CONTENT_TYPE_LATEST, generate_latest()
        checks = self._checks.get(path)
        if checks is None:
            return 404, _JSON, b'{"status":"not found"}'
        found = await failing(checks)
        status = "ok" if not found else "failing"
        return (503 if found else 200), _JSON, json.dumps({"status": status, "checks": found}).encode()
