"""Optimistic concurrency over HTTP: `ETag: "<version>"`, `If-Match` on every change (RFC 9110, RFC 6585)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from shared.runtime.refusals import Refusal, VersionMismatch

_STRONG = re.compile(r'"([1-9][0-9]{0,9})"')
# In the document only: what does not fit names no version, which is 412 and not 422.
_SHAPE = {"pattern": '^"[1-9][0-9]{0,9}"$', "examples": ['"1"']}
_LARGEST = 2_147_483_647  # versions are int4 in the database


class PreconditionRequired(Refusal):
    """A change without If-Match could overwrite what the caller has not seen."""


def etag_of(version: int) -> str:
    """Return the strong entity tag of a version."""
    return f'"{version}"'


def is_unchanged(if_none_match: str | None, tag: str) -> bool:
    """Tell whether a caller has what the tag names: by the weak comparison that RFC 9110 (13.1.2) asks for."""
    if if_none_match is None:
        return False
    known = [one.strip().removeprefix("W/") for one in if_none_match.split(",")]
    return tag in known or known == ["*"]


def expected_version(
    if_match: Annotated[
        str | None,
        Header(description="The ETag of the version you read.", max_length=64, json_schema_extra=_SHAPE),
    ] = None,
) -> int:
    """Return the version the caller last read. Raises PreconditionRequired or VersionMismatch."""
    if if_match is None:
        raise PreconditionRequired("If-Match: send the ETag of the version you read.")
    return _version_in(if_match)


def version_if_sent(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag of the version you read; leave it out to act on any.",
            max_length=64,
            json_schema_extra=_SHAPE,
        ),
    ] = None,
) -> int | None:
    """Return the version the caller insists on, None for any. Raises VersionMismatch."""
    return None if if_match is None else _version_in(if_match)


def _version_in(tag: str) -> int:
    found = _STRONG.fullmatch(tag.strip())
    if found is None or int(found.group(1)) > _LARGEST:
        raise VersionMismatch("If-Match: no version has that tag; send one strong ETag as you got it.")
    return int(found.group(1))


IfNoneMatch = Annotated[
    str | None,
    Header(description="The ETag of what you have: 304 if it is still the same.", max_length=1_000),
]
ExpectedVersion = Annotated[int, Depends(expected_version)]
# For commands that a state machine already guards: who does not send If-Match takes any version.
VersionIfSent = Annotated[int | None, Depends(version_if_sent)]
