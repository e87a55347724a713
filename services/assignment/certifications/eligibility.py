"""Why a rep may not cover a territory on a day: a certification that it requires and that is not held. Pure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID


class Missing(StrEnum):
    """Why a certification does not count on a day."""

    NEVER_HELD = "never_held"
    NOT_HELD_YET = "not_held_yet"
    NO_LONGER_HELD = "no_longer_held"


@dataclass(frozen=True, slots=True)
class CertificationFinding:
    """A coverage by a rep who does not hold what the territory requires."""

    coverage_id: UUID
    territory_id: UUID
    rep_id: UUID
    certification_code: str
    reason: Missing
    held_until: date | None
    held_from: date | None


def why_missing(held_until: date | None, held_from: date | None) -> Missing:
    """Tell it from the last day before, on which it ended, and the next, on which it begins."""
    if held_until is not None:
        return Missing.NO_LONGER_HELD
    return Missing.NEVER_HELD if held_from is None else Missing.NOT_HELD_YET
