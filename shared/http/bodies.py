"""Base models of request and response bodies, and the kinds of text and time they are made of."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints

_NUMBER = re.compile(r"[+-]?[0-9.]+([eE][+-]?[0-9]+)?")
# NUL cannot be stored in Postgres text; other control characters break logs and CSV.
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE)
]
ExternalId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=_PRINTABLE)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=65_536, pattern=_PRINTABLE)]


def refuse_number(value: Any) -> Any:
    """Refuse what Pydantic would take for a Unix time: `to=0` is a mistake, not 1 January 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        raise ValueError("write it out in ISO 8601, not as a number")
    return value


def _storable(instant: datetime) -> datetime:
    # Also keeps offsets from pushing the first and the last year over the edge of the calendar.
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("an instant from 1970 up to the year 9000; leave it out for no end")
    return instant.astimezone(UTC)


Day = Annotated[date, BeforeValidator(refuse_number)]
Instant = Annotated[AwareDatetime, BeforeValidator(refuse_number), AfterValidator(_storable)]


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
