"""Reads single values of a row. Each reader returns the value, None for a missing one, or raises Misfit."""

import math
import re
from typing import Any

from services.assignment.texts import NotText, tidy

_WHOLE = re.compile(r"[0-9]{1,10}")
_FIPS = re.compile(r"[0-9]{5}")
_STATE = re.compile(r"[A-Z]{2}")
_POSTAL_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]{0,11}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
_NEED_KIND = re.compile(r"[a-z][a-z0-9-]{1,39}")
_ZIP = re.compile(r"[0-9]{5}(-[0-9]{4})?")
MAX_WHOLE = 2_147_483_647
MAX_LISTED = 50


class Misfit(Exception):
    """What is wrong with a field and how to mend it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail


def read_text(fields: dict[str, Any], field: str, *, longest: int) -> str | None:
    """Return trimmed text in Unicode's composed form."""
    raw = fields.get(field)
    if raw is None:
        return None
    if not isinstance(raw, str):
        raise Misfit(field, "must be text in quotes; a number would lose its leading zeros")
    try:
        text = tidy(raw)
    except NotText as reason:
        raise Misfit(field, str(reason)) from None
    if len(text) > longest:
        raise Misfit(field, f"at most {longest} characters")
    return text or None


def read_needed_text(fields: dict[str, Any], field: str, *, longest: int) -> str:
    """Return text that must be there."""
    text = read_text(fields, field, longest=longest)
    if text is None:
        raise Misfit(field, "is missing; every row needs one")
    return text


def read_county(fields: dict[str, Any]) -> str | None:
    """Return a county's FIPS code."""
    text = read_text(fields, "county", longest=10)
    if text is not None and not _FIPS.fullmatch(text):
        raise Misfit("county", "a FIPS code has five digits; was a leading zero lost?")
    return text


def read_state(fields: dict[str, Any]) -> str | None:
    """Return a state's two letters in capitals."""
    text = read_text(fields, "state", longest=200)
    if text is not None and not _STATE.fullmatch(text.upper()):
        raise Misfit("state", "two letters, such as TX")
    return None if text is None else text.upper()


def read_postal_code(fields: dict[str, Any]) -> str | None:
    """Return a postal code as written; with a US county it has to be a ZIP."""
    text = read_text(fields, "postal_code", longest=20)
    if text is None:
        return None
    if fields.get("county") is not None and not _ZIP.fullmatch(text):
        raise Misfit("postal_code", "a ZIP has five digits (or 12345-6789); was a leading zero lost?")
    if not _POSTAL_CODE.fullmatch(text):
        raise Misfit("postal_code", "1 to 12 letters, digits, blanks and hyphens")
    return text


def read_whole(fields: dict[str, Any], field: str) -> int | None:
    """Return a whole number, 0 or more."""
    raw = fields.get(field)
    if raw is None:
        return None
    if isinstance(raw, str) and _WHOLE.fullmatch(raw):
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 <= raw <= MAX_WHOLE:
        raise Misfit(field, f"a whole number from 0 to {MAX_WHOLE}, without separators")
    return raw


def read_degrees(fields: dict[str, Any], field: str, *, limit: int) -> float | None:
    """Return degrees with a decimal point."""
    raw = fields.get(field)
    if raw is None:
        return None
    try:
        degrees = math.nan if isinstance(raw, bool) else float(raw)
    except (TypeError, ValueError, OverflowError):
        degrees = math.nan
    if not -limit <= degrees <= limit:
        raise Misfit(field, f"degrees from -{limit} to {limit} with a decimal point")
    return degrees


def read_list(fields: dict[str, Any], field: str, *, longest: int) -> tuple[str, ...]:
    """Return the different texts of a list: of JSON, or of a cell in which semicolons stand between them."""
    raw = fields.get(field)
    if raw is None:
        return ()
    parts = raw.split(";") if isinstance(raw, str) else raw
    if not isinstance(parts, list) or len(parts) > MAX_LISTED:
        raise Misfit(field, f"a list of at most {MAX_LISTED} texts; in CSV with semicolons between them")
    texts = (read_text({field: part}, field, longest=longest) for part in parts)
    return tuple(dict.fromkeys(text for text in texts if text is not None))


def read_languages(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the codes of the languages somebody speaks."""
    return _shaped(fields, "languages", _LANGUAGE, "language codes such as es or pt-BR")


def read_need_kinds(fields: dict[str, Any]) -> tuple[str, ...]:
    """Return the codes of the kinds of needs somebody looks after."""
    return _shaped(
        fields, "need_kinds", _NEED_KIND, "codes of collab's vocabulary of needs, such as training"
    )


def _shaped(fields: dict[str, Any], field: str, shape: re.Pattern[str], what: str) -> tuple[str, ...]:
    texts = read_list(fields, field, longest=40)
    if not all(shape.fullmatch(text) for text in texts):
        raise Misfit(field, what)
    return texts
