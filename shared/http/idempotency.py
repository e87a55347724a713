"""Idempotency keys: claim, effect and answer in one transaction, so a retry never repeats a success.

Only successes are kept: a refusal had no effect, so it is simply decided again. Kept for 24 hours.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.sqlstate import LOCK_NOT_AVAILABLE, sqlstate_of
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import Refusal

C = TypeVar("C")

_KEY = re.compile(r"(?=.*[^ ])[ -~]{1,255}")


class IdempotencyKeyReused(Refusal):
    """The key was used for another request."""


class RequestInFlight(Refusal):
    """A request with the same key is being worked on."""


class InvalidIdempotencyKey(Refusal):
    """The key is empty, too long, or not of printable ASCII."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished response, as sent and as kept for replays."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """One caller's name for one request; `fingerprint` tells the request from others under the same name."""

    principal: str
    route: str
    key: str
    fingerprint: bytes


def read_key(header: str, *, principal: str, route: str, request: str, body: bytes) -> IdempotencyKey:
    """Build the key from the header, bare or as a quoted string. Raises InvalidIdempotencyKey.

    `request` holds all but the body that tells this request from another one on the route.
    """
    key = header.strip().strip('"')
    if not _KEY.fullmatch(key):
        raise InvalidIdempotencyKey("Idempotency-Key: 1 to 255 printable ASCII characters.")
    digest = hashlib.sha256(request.encode() + b"\0" + _canonical(body)).digest()
    return IdempotencyKey(principal=principal, route=route, key=key, fingerprint=digest)


def _canonical(body: bytes) -> bytes:
    try:
        return json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return body


async def run_once(
    key: IdempotencyKey,
    handler: Callable[[C, UnitOfWork], Awaitable[Answer]],
    command: C,
    uow: UnitOfWork,
) -> Answer:
    """Run the command under its key, or return the answer it already had.

    Raises IdempotencyKeyReused for another payload, RequestInFlight while the first is still running.
    """
    if not await _claim(uow.connection, key, uow.now):
        return await _replay(uow.connection, key)
    answer = await handler(command, uow)
    await uow.connection.execute(_STORE, {**_identity(key), **_stored(answer)})
    return answer


_CLAIM = text("""
INSERT INTO idempotency_keys (principal, route, key, fingerprint, created_at)
VALUES (:principal, :route, :key, :fingerprint, :now)
ON CONFLICT DO NOTHING RETURNING 1
""")
_FIND = text("""
SELECT fingerprint, status, headers, response FROM idempotency_keys
WHERE principal = :principal AND route = :route AND key = :key
""")
_STORE = text("""
UPDATE idempotency_keys SET status = :status, headers = CAST(:headers AS jsonb), response = :response
WHERE principal = :principal AND route = :route AND key = :key
""")


def _identity(key: IdempotencyKey) -> dict[str, Any]:
    return {"principal": key.principal, "route": key.route, "key": key.key}


def _stored(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "headers": json.dumps(answer.headers), "response": answer.body}


async def _claim(connection: AsyncConnection, key: IdempotencyKey, now: Any) -> bool:
    # The insert waits for a holder in flight; a short wait absorbs the usual double click.
    await connection.execute(text("SET LOCAL lock_timeout = '300ms'"))
    try:
        found = await connection.execute(
            _CLAIM, {**_identity(key), "fingerprint": key.fingerprint, "now": now}
        )
    except DBAPIError as error:
        if sqlstate_of(error) == LOCK_NOT_AVAILABLE:
            raise RequestInFlight("Idempotency-Key: the first request is still running; ask again.") from None
        raise
    await connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    return found.first() is not None


async def _replay(connection: AsyncConnection, key: IdempotencyKey) -> Answer:
    row = (await connection.execute(_FIND, _identity(key))).one()
    if bytes(row.fingerprint) != key.fingerprint:
        raise IdempotencyKeyReused("Idempotency-Key: this key was used for another request; take a new one.")
    return Answer(row.status, {**row.headers, "idempotent-replayed": "true"}, bytes(row.response))
