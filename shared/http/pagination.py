"""Keyset pages: a cursor is the sort key of the last row seen, so pages neither skip nor repeat."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from shared.runtime.refusals import Refusal

T = TypeVar("T")
Row = TypeVar("Row")

MAX_PAGE = 500


class InvalidCursor(Refusal):
    """The cursor is not one of ours."""


class Page(BaseModel, Generic[T]):
    """One page; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


class PageRequest(BaseModel):
    """Which page: how many rows, and the id after which to go on."""

    limit: int
    after: UUID | None


def page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Rows per page.")] = 100,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before.")
    ] = None,
) -> PageRequest:
    """Read the page parameters. Raises InvalidCursor."""
    return PageRequest(limit=limit, after=None if cursor is None else decode_cursor(cursor))


PageParameters = Annotated[PageRequest, Depends(page_request)]


def encode_cursor(key: UUID) -> str:
    """Return the opaque cursor after a row."""
    return base64.urlsafe_b64encode(json.dumps([str(key)]).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> UUID:
    """Return the key behind a cursor. Raises InvalidCursor."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        (text,) = json.loads(base64.urlsafe_b64decode(padded))
        key = UUID(text)
    except (ValueError, TypeError, AttributeError, RecursionError, binascii.Error):
        raise InvalidCursor("cursor: send next_cursor exactly as you got it, or leave it out.") from None
    if encode_cursor(key) != cursor:
        raise InvalidCursor("cursor: send next_cursor exactly as you got it, or leave it out.")
    return key


def page_of(
    rows: Sequence[Row], request: PageRequest, key: Callable[[Row], UUID]
) -> tuple[list[Row], str | None]:
    """Cut `limit + 1` rows to a page; the extra row only tells that there is more."""
    items = list(rows[: request.limit])
    more = len(rows) > request.limit
    return items, encode_cursor(key(items[-1])) if more else None
