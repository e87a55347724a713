"""Whom a note is put before, and why. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class Reason(StrEnum):
    """Why a note is in an inbox."""

    MENTION = "mention"
    REPLY = "reply"


@dataclass(frozen=True, slots=True)
class Mentions:
    """Who is mentioned: reps, and territories in place of whoever covers them."""

    reps: tuple[UUID, ...] = ()
    territories: tuple[UUID, ...] = ()

    @property
    def total(self) -> int:
        """Tell how many are mentioned."""
        return len(self.reps) + len(self.territories)

    def __bool__(self) -> bool:
        """Tell whether anybody is mentioned."""
        return self.total > 0


NOBODY = Mentions()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A note for somebody; with the territory for which they were mentioned."""

    recipient: str
    reason: Reason
    territory_id: UUID | None = None

    @property
    def mentioned(self) -> bool:
        """Tell whether they are mentioned: only those can be asked to acknowledge."""
        return self.reason is Reason.MENTION


def deliveries(
    mentions: Mentions, covering: Mapping[UUID, UUID], taking_part: Iterable[str], *, author: str
) -> list[Delivery]:
    """Return one delivery for each, by recipient: being mentioned says more than a reply; none to the author."""
    found = {name: Delivery(name, Reason.REPLY) for name in taking_part}
    for territory, rep in sorted(covering.items()):
        found[str(rep)] = Delivery(str(rep), Reason.MENTION, territory)
    # Last, because being mentioned by name says most.
    for rep in mentions.reps:
        found[str(rep)] = Delivery(str(rep), Reason.MENTION)
    found.pop(author, None)
    return [found[name] for name in sorted(found)]
