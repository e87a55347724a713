"""One client of an api: a request at a time over one connection, an outcome for every one of them.

On `http.client`, because the load shares two cores with what it loads, and because a client here has to be able
to hang up in the middle of a request.
"""

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

Outcome = Literal["ok", "refused", "again", "unchanged", "unknown"]
"""Of a request: done; refused for good; not now; surely not done; nobody can say."""

TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request. `status` is 0 when no answer came."""

    outcome: Outcome
    status: int = 0
    body: bytes = b""
    replayed: bool = False
    note: str = ""

    def json(self) -> Any:
        """Return the body read as JSON."""
        return json.loads(self.body)


class Client:
    """Keeps a connection while it works; used by one thread."""

    def __init__(self, token: str) -> None:
        self._authorization = {"Authorization": f"Bearer {token}"}
        self._connection: http.client.HTTPConnection | None = None
        self._url = ""

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        hang_up: bool = False,
    ) -> Reply:
        """Send, and say what became of it. `hang_up` closes the connection instead of waiting for an answer."""
        address = urlsplit(url)
        asked = False
        try:
            connection = self._connected(f"{address.hostname}:{address.port}")
            asked = True
            target = f"{address.path}?{address.query}" if address.query else address.path
            connection.request(method, target, body, {**self._authorization, **(headers or {})})
            if hang_up:
                self.close()
                return Reply("unknown", note="hung up")
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            # A connection that was refused carried nothing.
            return Reply("unknown" if asked else "unchanged", note=type(error).__name__)
        if answer.getheader("connection", "").lower() == "close":
            self.close()
        return judge(answer.status, content, answer.headers)

    def close(self) -> None:
        """Drop the connection."""
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.close()
        self._connection = None

    def _connected(self, address: str) -> http.client.HTTPConnection:
        if self._connection is None or self._url != address:
            self.close()
            self._connection = http.client.HTTPConnection(address, timeout=TIMEOUT)
            self._connection.connect()
            self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._url = address
        return self._connection


def judge(status: int, body: bytes, headers: Any) -> Reply:
    """Say what an answer means for the change that was asked for."""
    if 200 <= status < 300:
        return Reply("ok", status, body, headers.get("idempotent-replayed") == "true")
    problem = _problem(body)
    code = problem.get("code", "")
    if status == 409 and code == "request-in-flight":
        return Reply("again", status, body, note=code)
    if status == 409 and problem.get("outcome") == "unchanged":
        return Reply("unchanged", status, body, note=code)
    if status == 503 and headers.get("retry-after"):
        outcome: Outcome = "unchanged" if problem.get("outcome") == "unchanged" else "unknown"
        return Reply(outcome, status, body, note=code)
    if 400 <= status < 500:
        return Reply("refused", status, body, note=code)
    return Reply("unknown", status, body, note=f"{status} {code}")


def _problem(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
