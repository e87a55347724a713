"""What collab publishes of training: which certification a rep holds, and for which days."""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import EventContract

TRAINING = "collab.training.events.v1"


class _Award(EventContract):
    TOPIC: ClassVar[str] = TRAINING

    award_id: UUID
    rep_id: UUID
    certification_code: str

    @property
    def key(self) -> str:
        """Order is kept per rep."""
        return str(self.rep_id)


class CertificationGranted(_Award):
    """A rep holds a certification from `valid_from` on and no longer on `valid_to`.

    The period is all that is needed to know who is certified on a day: no reader has to wait for the event
    that tells of the expiry. `renewal` is false for the first award of this certification to the rep.
    """

    TYPE: ClassVar[str] = "collab.certification.granted.v1"

    valid_from: date
    valid_to: date
    renewal: bool
    granted_at: datetime


class CertificationExpiring(_Award):
    """A certification is in its renewal window, and nothing follows it yet."""

    TYPE: ClassVar[str] = "collab.certification.expiring.v1"

    valid_to: date
    announced_at: datetime


class CertificationExpired(_Award):
    """A certification ran out on `valid_to`, and none followed it."""

    TYPE: ClassVar[str] = "collab.certification.expired.v1"

    valid_to: date
    announced_at: datetime


class CertificationRevoked(_Award):
    """An award counts no more from `revoked_from` on; on its first day, it never counted."""

    TYPE: ClassVar[str] = "collab.certification.revoked.v1"

    revoked_from: date
    revoked_at: datetime
