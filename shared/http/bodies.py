"""Base models of request and response bodies, and the kinds of text they are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

# NUL cannot be stored in Postgres text; other control characters break logs and CSV.
_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE)
]
ExternalId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128, pattern=_PRINTABLE)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=65_536, pattern=_PRINTABLE)]


class Body(BaseModel):
    """What a caller sends: an unknown field is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What a caller gets."""

    model_config = ConfigDict(frozen=True, from_attributes=True)
