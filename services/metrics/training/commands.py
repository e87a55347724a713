"""Since when reps hold which certification, from collab's events."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.contracts.training import CertificationGranted, CertificationRevoked
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received, last_of_each

_GRANT = text("""
INSERT INTO certifications (award_id, rep_id, certification_code, valid_from)
SELECT * FROM unnest(
    CAST(:awards AS uuid[]), CAST(:reps AS uuid[]), CAST(:codes AS text[]), CAST(:days AS date[])
)
ON CONFLICT (award_id) DO NOTHING
""")
_REVOKE = text("""
UPDATE certifications SET revoked_from = r.revoked_from
FROM unnest(CAST(:awards AS uuid[]), CAST(:days AS date[])) AS r (award_id, revoked_from)
WHERE certifications.award_id = r.award_id
""")


async def keep_certifications(batch: Sequence[Received[CertificationGranted]], uow: UnitOfWork) -> None:
    """Note who was certified from when on."""
    events = last_of_each(batch, lambda event: event.award_id)
    await uow.connection.execute(
        _GRANT,
        {
            "awards": [event.award_id for event in events],
            "reps": [event.rep_id for event in events],
            "codes": [event.certification_code for event in events],
            "days": [event.valid_from for event in events],
        },
    )


async def revoke_certifications(batch: Sequence[Received[CertificationRevoked]], uow: UnitOfWork) -> None:
    """Note from when on an award counts no more."""
    events = last_of_each(batch, lambda event: event.award_id)
    await uow.connection.execute(
        _REVOKE,
        {
            "awards": [event.award_id for event in events],
            "days": [event.revoked_from for event in events],
        },
    )
