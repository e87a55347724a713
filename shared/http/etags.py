"""Optimistic concurrency over HTTP: `ETag: "<version>"`, `If-Match` on every change (RFC 9110, RFC 6585)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from shared.runtime.refusals import Refusal, VersionMismatch

_STRONG = re.compile(r'^"(\d{1,18})"$')


class PreconditionRequired(Refusal):
    """A change without If-Match could overwrite what the caller has not seen."""


def etag_of(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def expected_version(
    if_match: Annotated[
        str | None, Header(description='The ETag of the version you read, e.g. "3".', max_length=64)
    ] = None,
) -> int:
    """Return the version the caller last read. Raises PreconditionRequired or VersionMismatch."""
    if if_match is None:
        raise PreconditionRequired("If-Match: send the ETag of the version you read.")
    found = _STRONG.match(if_match.strip())
    if found is None:
        raise VersionMismatch("If-Match: no version has that tag; send one strong ETag as you got it.")
    return int(found.group(1))


ExpectedVersion = Annotated[int, Depends(expected_version)]
