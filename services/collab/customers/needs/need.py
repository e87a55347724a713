"""A need of a customer and the states it may take. Pure.

open <-> in_progress; both -> met (with evidence) or dropped (with a reason); met and dropped -> open again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from services.collab.customers.needs.refusals import (
    NeedDroppedWithoutReason,
    NeedMetWithoutEvidence,
    NeedStatusRefused,
)


class NeedStatus(StrEnum):
    """Where a need stands."""

    OPEN = "open"
    IN_PROGRESS = "in_progress"
    MET = "met"
    DROPPED = "dropped"


class DropReason(StrEnum):
    """Why a need is no longer pursued."""

    WITHDRAWN = "withdrawn"
    NOT_FEASIBLE = "not_feasible"
    DUPLICATE = "duplicate"
    OTHER = "other"


LIVE = frozenset({NeedStatus.OPEN, NeedStatus.IN_PROGRESS})
"""What somebody still has to do something about."""

FOLLOWING = {
    NeedStatus.OPEN: frozenset({NeedStatus.IN_PROGRESS, NeedStatus.MET, NeedStatus.DROPPED}),
    NeedStatus.IN_PROGRESS: frozenset({NeedStatus.OPEN, NeedStatus.MET, NeedStatus.DROPPED}),
    NeedStatus.MET: frozenset({NeedStatus.OPEN}),
    NeedStatus.DROPPED: frozenset({NeedStatus.OPEN}),
}


@dataclass(frozen=True, slots=True)
class Need:
    """The part of a need that its rules speak of; `evidence` counts its entries."""

    need_id: UUID
    kind: str
    status: NeedStatus
    version: int
    evidence: int
    drop_reason: DropReason | None = None

    def become(self, status: NeedStatus, *, because: DropReason | None = None) -> "Need":
        """Change the status. Raises NeedStatusRefused, NeedMetWithoutEvidence or NeedDroppedWithoutReason."""
        if status not in FOLLOWING[self.status]:
            allowed = sorted(FOLLOWING[self.status])
            raise NeedStatusRefused(
                f"status: the need is {self.status}; from there it becomes {' or '.join(allowed)}.",
                allowed=allowed,
            )
        if status is NeedStatus.MET and not self.evidence:
            raise NeedMetWithoutEvidence("status: add the evidence that the need is met first.")
        if (status is NeedStatus.DROPPED) != (because is not None):
            raise NeedDroppedWithoutReason("drop_reason: goes with status dropped, and only with it.")
        return replace(self, status=status, drop_reason=because)

    def touch(self) -> "Need":
        """Return the need after a change."""
        return replace(self, version=self.version + 1)
