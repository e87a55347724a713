"""Keeps of collab which certification a rep holds on which days, by award."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import text

from shared.contracts.training import (
    TRAINING,
    CertificationExpired,
    CertificationGranted,
    CertificationRevoked,
)
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.projection import Projection
from shared.messaging.received import Received
from shared.messaging.subscription import Subscription

_KEEP = text("""
INSERT INTO held_certifications (award_id, rep_id, certification_code, valid_from, valid_to)
SELECT * FROM unnest(CAST(:awards AS uuid[]), CAST(:reps AS uuid[]), CAST(:codes AS text[]),
                     CAST(:starts AS date[]), CAST(:ends AS date[]))
ON CONFLICT (award_id) DO NOTHING
""")
_END = text("""
UPDATE held_certifications AS h SET valid_to = greatest(h.valid_from, least(h.valid_to, e.day))
FROM unnest(CAST(:awards AS uuid[]), CAST(:days AS date[])) AS e (award_id, day)
WHERE h.award_id = e.award_id
""")


async def keep_granted(received: Sequence[Received[CertificationGranted]], uow: UnitOfWork) -> None:
    """Keep the days of new awards."""
    events = [item.event for item in received]
    await uow.connection.execute(
        _KEEP,
        {
            "awards": [event.award_id for event in events],
            "reps": [event.rep_id for event in events],
            "codes": [event.certification_code for event in events],
            "starts": [event.valid_from for event in events],
            "ends": [event.valid_to for event in events],
        },
    )


async def end_revoked(received: Sequence[Received[CertificationRevoked]], uow: UnitOfWork) -> None:
    """Have revoked awards end on the day they were revoked from."""
    await _end([(item.event.award_id, item.event.revoked_from) for item in received], uow)


async def end_expired(received: Sequence[Received[CertificationExpired]], uow: UnitOfWork) -> None:
    """Have expired awards end: the day is known from the grant, so this is a confirmation."""
    await _end([(item.event.award_id, item.event.valid_to) for item in received], uow)


async def _end(ended: Sequence[tuple[UUID, date]], uow: UnitOfWork) -> None:
    # The earliest day of each: an update that joins several rows takes any of them.
    earliest: dict[UUID, date] = {}
    for award_id, day in ended:
        earliest[award_id] = min(day, earliest.get(award_id, day))
    binds = {"awards": list(earliest), "days": list(earliest.values())}
    await uow.connection.execute(_END, binds)


HELD_CERTIFICATIONS = Subscription(
    topic=TRAINING,
    handlers={
        CertificationGranted: keep_granted,
        CertificationRevoked: end_revoked,
        CertificationExpired: end_expired,
    },
    keeps=Projection(("held_certifications",)),
)
