"""An ordinary client of the three APIs: tokens, retries that are safe, pages, problems as sentences."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

import httpx

from deploy.demo.failing import DemoFailed
from deploy.local.endpoints import Endpoints
from deploy.local.issuer import DevelopmentIssuer

PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.2
_PASSING = {HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT}


@dataclass(frozen=True)
class Answer:
    """What a request came to, with what it takes to show it."""

    method: str
    url: str
    status: int
    seconds: float
    body: Any
    etag: str | None = None


class Service:
    """One api, for one caller. May be used by several threads."""

    def __init__(self, client: httpx.Client, url: str, token: str) -> None:
        self._client = client
        self._url = url
        self._caller = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> Answer:
        """Read."""
        return self.send("GET", path, params={name: v for name, v in query.items() if v is not None})

    def find(self, path: str) -> Answer | None:
        """Read what may not be there."""
        answer = self.send("GET", path, accept={HTTPStatus.NOT_FOUND})
        return None if answer.status == HTTPStatus.NOT_FOUND else answer

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Read a list to its end."""
        cursor: str | None = None
        while True:
            page = self.get(path, limit=500, cursor=cursor, **query).body
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def post(self, path: str, body: Any = None, *, key: str | None = None, etag: str | None = None) -> Answer:
        """Create. With a key the request may be repeated, and is when no answer came."""
        return self.send("POST", path, body=body, headers=_conditions(key, etag), repeatable=key is not None)

    def put(self, path: str, body: Any, *, etag: str) -> Answer:
        """Replace the version that was read."""
        return self.send("PUT", path, body=body, headers=_conditions(None, etag))

    def upload(self, path: str, lines: Iterator[dict[str, Any]]) -> Answer:
        """Import newline-delimited JSON; an import may be repeated."""
        content = "".join(f"{json.dumps(line)}\n" for line in lines).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        return self.send("POST", path, content=content, headers=headers, repeatable=True)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        accept: set[HTTPStatus] | None = None,
        **more: Any,
    ) -> Answer:
        """Send, again if nobody answered and that is safe. Raises DemoFailed with the problem's own words."""
        if body is not None:
            more["json"] = body
        caller = {**self._caller, **(headers or {})}
        request = self._client.build_request(method, f"{self._url}{path}", headers=caller, **more)
        deadline = time.monotonic() + PATIENCE_SECONDS * (repeatable or method == "GET")
        while True:
            began = time.monotonic()
            try:
                response = self._client.send(request)
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    raise DemoFailed(f"{method} {request.url}: no answer ({error})") from error
            else:
                passing = response.status_code in _PASSING and time.monotonic() < deadline
                if not passing:
                    return _answer(response, time.monotonic() - began, accept or set())
            time.sleep(_PAUSE_SECONDS)


class Installation:
    """What runs, and somebody who may sign tokens for it; close it after use."""

    def __init__(self, endpoints: Endpoints, issuer: DevelopmentIssuer) -> None:
        self.endpoints = endpoints
        self._issuer = issuer
        self._client = httpx.Client(timeout=httpx.Timeout(120, connect=5))

    @classmethod
    def find(cls, file: Path) -> "Installation":
        """Read `.local/endpoints.json`. Raises DemoFailed when nothing runs."""
        endpoints = Endpoints.read(file)
        if endpoints is None:
            raise DemoFailed(f"Nothing runs here: {file} does not exist. Start with make run.")
        return cls(endpoints, DevelopmentIssuer(Path(endpoints.issuer["jwks"]).parent))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def service(self, name: str, *, role: str, subject: str, scope: str = "*") -> Service:
        """Return a service's api for a caller."""
        token = self._issuer.token(role=role, scope=scope, subject=subject)
        return Service(self._client, self.endpoints.urls[name], token)


def wait_until(look: Callable[[], str | None], *, what: str, seconds: float, every: float = 0.05) -> float:
    """Look again and again until nothing is missing; return how long it took.

    `look` returns what is missing, or None. Raises DemoFailed with what was missing last.
    """
    began = time.monotonic()
    while (missing := look()) is not None:
        if time.monotonic() - began > seconds:
            raise DemoFailed(f"{what}: after {seconds:.0f} s still {missing}")
        time.sleep(every)
    return time.monotonic() - began


def _conditions(key: str | None, etag: str | None) -> dict[str, str]:
    named = {"Idempotency-Key": key, "If-Match": etag}
    return {name: value for name, value in named.items() if value is not None}


def _answer(response: httpx.Response, seconds: float, accept: set[HTTPStatus]) -> Answer:
    body = response.json() if response.content else None
    method, url = response.request.method, str(response.request.url)
    if response.is_error and response.status_code not in accept:
        problem = body if isinstance(body, dict) else {}
        detail = problem.get("detail") or problem.get("title") or response.text[:300]
        raise DemoFailed(f"{method} {url}: {response.status_code} {problem.get('code', '')}: {detail}")
    return Answer(method, url, response.status_code, seconds, body, response.headers.get("etag"))
