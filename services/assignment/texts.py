"""Reads text that callers bring, in files and in rules alike: so that what is equal compares equal."""

import re
import unicodedata

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")


class NotText(ValueError):
    """Why characters cannot be stored as text."""


def tidy(raw: str) -> str:
    """Return text trimmed and in Unicode's composed form. Raises NotText."""
    text = unicodedata.normalize("NFC", raw.strip())
    if _CONTROLS.search(text):
        raise NotText("control characters are not text")
    try:
        text.encode()
    except UnicodeEncodeError:
        # JSON can spell it, but neither UTF-8 nor Postgres can hold it.
        raise NotText("half of a surrogate pair is not text") from None
    return text
