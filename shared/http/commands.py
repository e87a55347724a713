"""The bridge from a route to a command: one transaction, with the audit entry and the idempotent answer inside."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.audit import AuditEntry, record
from shared.db.engine import begin_snapshot
from shared.db.unit_of_work import UnitOfWork
from shared.http.etags import etag_of
from shared.http.idempotency import Answer, IdempotencyKey, read_key, run_once
from shared.http.parts import Parts
from shared.http.principal import Principal
from shared.http.routes import operation_id

C = TypeVar("C")
R = TypeVar("R")

# A digest of more than this takes milliseconds: elsewhere, so that the api goes on answering.
_LARGE_BODY = 1_048_576


def get_parts(request: Request) -> Parts:
    """Return the process's working parts."""
    parts: Parts = request.app.state.parts
    return parts


class Commands:
    """Runs a route's command and renders its answer."""

    def __init__(
        self,
        request: Request,
        idempotency_key: Annotated[
            str | None,
            Header(description="Your name for this request: a retry returns the first answer."),
        ] = None,
    ) -> None:
        self._request = request
        self._key = idempotency_key

    async def run(
        self,
        handler: Callable[[C, UnitOfWork], Awaitable[R]],
        command: C,
        *,
        by: Principal,
        show: Callable[[R], BaseModel | None],
        status: int = 200,
        version: Callable[[R], int] | None = None,
        location: Callable[[R], str] | None = None,
    ) -> Response:
        """Run `handler(command, uow)` once, commit, and answer with what `show` makes of the result.

        `version` gives the ETag and `location` the Location header of what was made or changed.
        """

        async def answer(command: C, uow: UnitOfWork) -> Answer:
            result = await handler(command, uow)
            view = show(result)
            headers = {} if version is None else {"etag": etag_of(version(result))}
            if location is not None:
                headers["location"] = location(result)
            return Answer(status, headers, b"" if view is None else view.model_dump_json().encode())

        return _respond(await self._transact(answer, command, by))

    async def _transact(
        self, answer: Callable[[C, UnitOfWork], Awaitable[Answer]], command: C, by: Principal
    ) -> Answer:
        transact = get_parts(self._request).transact
        body = await self._request.body()
        digest = await _digest(body)
        key = None if self._key is None else self._read_key(self._key, by, body)

        async def audited(command: C, uow: UnitOfWork) -> Answer:
            result = await answer(command, uow)
            await record(_entry(self._request, by, key, digest, result), uow)
            return result

        async def once(command: C, uow: UnitOfWork) -> Answer:
            # A replay changes nothing, so it is not audited: the entry of the first time has the key.
            return await audited(command, uow) if key is None else await run_once(key, audited, command, uow)

        return await transact(once, command, actor=by.subject)

    def _read_key(self, header: str, by: Principal, body: bytes) -> IdempotencyKey:
        return read_key(
            header,
            principal=by.subject,
            route=f"{self._request.method} {self._request.scope['route'].path}",
            request=_what_makes_it_this_request(self._request, by),
            body=body,
        )


async def _digest(body: bytes) -> bytes | None:
    if len(body) > _LARGE_BODY:
        return await asyncio.to_thread(lambda: hashlib.sha256(body).digest())
    return hashlib.sha256(body).digest() if body else None


def _entry(
    request: Request, by: Principal, key: IdempotencyKey | None, digest: bytes | None, answer: Answer
) -> AuditEntry:
    route = request.scope["route"]
    return AuditEntry(
        roles=sorted(by.roles),
        scope=by.scope,
        method=request.method,
        route=route.path,
        path_parameters=request.path_params,
        operation=operation_id(route),
        status=answer.status,
        location=answer.headers.get("location"),
        idempotency_key=None if key is None else key.key,
        body_sha256=digest,
    )


def _what_makes_it_this_request(request: Request, by: Principal) -> str:
    # The scope too: a stored answer may show what a token that has become narrower must not see.
    roots = "*" if by.scope.everything else ",".join(sorted(map(str, by.scope.roots)))
    precondition = request.headers.get("if-match", "")
    return f"{request.url.path}\n{request.url.query}\n{precondition}\n{roots}"


def _respond(answer: Answer) -> Response:
    media_type = "application/json" if answer.body else None
    return Response(answer.body, status_code=answer.status, headers=answer.headers, media_type=media_type)


async def snapshot(request: Request) -> Any:
    """Yield a connection that reads one snapshot and cannot write; released before the answer is sent."""
    async with get_parts(request).engine.connect() as connection:
        await begin_snapshot(connection)
        yield connection


RunCommand = Annotated[Commands, Depends()]
# scope="function": the connection goes back to the pool when the route returns, not after the response.
Snapshot = Annotated[AsyncConnection, Depends(snapshot, scope="function")]
