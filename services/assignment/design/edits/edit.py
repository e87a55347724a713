"""An edit of a proposal by hand. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class EditState(StrEnum):
    """Where an edit stands; a dropped one was undone, and another was made since."""

    APPLIED = "applied"
    UNDONE = "undone"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """An edit: the how-manieth of its run, how many accounts it moves, and how many territories it touches.

    `changed_by` and `changed_at` tell of the last time that it was undone, redone or dropped.
    """

    edit_id: UUID
    number: int
    state: EditState
    accounts: int
    territories: int
    made_by: str
    made_at: datetime
    changed_by: str | None
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class EditMove:
    """An account that an edit moved, from where to where."""

    account_id: UUID
    from_territory_id: UUID
    to_territory_id: UUID
