"""Instants in requests: aware, and within what every store and calendar holds."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from shared.http.bodies import refuse_number

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


def _storable(instant: datetime) -> datetime:
    # Also keeps offsets from pushing the first and the last year over the edge of the calendar.
    if not _EARLIEST <= instant <= _LATEST:
        raise ValueError("an instant from 1970 on")
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, BeforeValidator(refuse_number), AfterValidator(_storable)]
