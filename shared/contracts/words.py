"""Words in events: lists that may grow within a version.

A new word is no new version. So readers take any word and treat one that they do not know as none of those they
act upon, and only publishers are held to the list. Documents tell the list as `x-extensible-enum`, which generators
read as plain text (Zalando's guidelines, rule 112).
"""

from typing import TYPE_CHECKING, Any

from pydantic import Field

if TYPE_CHECKING:
    from shared.contracts.envelope import EventContract

_EXTENSIBLE = "x-extensible-enum"


def one_of(*words: str) -> Any:
    """Return a field for a word that is one of these so far: annotate it as `str` and assign this."""
    return Field(json_schema_extra={_EXTENSIBLE: list(words)})


def perhaps_one_of(*words: str) -> Any:
    """Return the same for a word that may be left out: annotate it as `str | None`."""
    return Field(default=None, json_schema_extra={_EXTENSIBLE: list(words)})


def refuse_unknown_words(event: "EventContract") -> None:
    """Check what is about to be published. Raises ValueError for a word that its contract does not list."""
    for name, field in type(event).model_fields.items():
        told = field.json_schema_extra
        words = told.get(_EXTENSIBLE) if isinstance(told, dict) else None
        if isinstance(words, list) and getattr(event, name) not in {*words, field.default}:
            raise ValueError(f"{event.TYPE}: {name} {getattr(event, name)!r} is not among {words}")
