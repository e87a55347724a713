"""Noticing that certifications are about to expire, or have: announced once, whichever worker looks first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from services.collab.training.enrolments.commands.enrol_by_rule import enrol_by_rule, enrol_to_renew
from shared.contracts.training import CertificationExpired, CertificationExpiring
from shared.db.unit_of_work import UnitOfWork

# Rows that another worker holds are its business. What is followed by an award that ends later is only marked,
# whether or not days between them stayed without: what to tell, and what to renew, is that later one.
_NOTICE = """
WITH due AS (
    SELECT w.award_id FROM awards AS w WHERE {due} ORDER BY w.{day} LIMIT :limit FOR UPDATE SKIP LOCKED
)
UPDATE awards AS w SET {mark} = :now FROM due WHERE w.award_id = due.award_id
RETURNING w.award_id, w.rep_id, w.certification_code, w.valid_to, EXISTS (
    SELECT 1 FROM awards AS next WHERE next.rep_id = w.rep_id
      AND next.certification_code = w.certification_code
      AND next.valid_from < next.valid_to AND next.valid_to > w.valid_to
) AS is_followed
"""
_EXPIRING = text(
    _NOTICE.format(
        due="w.noticed_expiring_at IS NULL AND w.revoked_at IS NULL AND w.renewable_from <= :today",
        day="renewable_from",
        mark="noticed_expiring_at",
    )
)
_EXPIRED = text(
    _NOTICE.format(
        due="w.noticed_expired_at IS NULL AND w.revoked_at IS NULL AND w.valid_to <= :today",
        day="valid_to",
        mark="noticed_expired_at",
    )
)


@dataclass(frozen=True, slots=True)
class NoticeExpiry:
    """Look for up to `limit` awards of each kind."""

    limit: int = 500


@dataclass(frozen=True, slots=True)
class EnrolByRule:
    """Look once whom programmes name: accounts and kinds change without any coverage beginning."""


async def notice_expiring(command: NoticeExpiry, uow: UnitOfWork) -> int:
    """Announce what entered its renewal window and enrol for renewal; return how many awards were looked at."""
    rows = await _notice(_EXPIRING, command, uow)
    open_ = [row for row in rows if not row.is_followed]
    # What has run out already is told as expired only.
    uow.outbox.add_all(
        CertificationExpiring(**_award(row), announced_at=uow.now)
        for row in open_
        if row.valid_to > uow.now.date()
    )
    await enrol_to_renew(uow, sorted(row.award_id for row in open_))
    return len(rows)


async def notice_expired(command: NoticeExpiry, uow: UnitOfWork) -> int:
    """Announce what ran out and was not followed; return how many awards were looked at."""
    rows = await _notice(_EXPIRED, command, uow)
    uow.outbox.add_all(
        CertificationExpired(**_award(row), announced_at=uow.now) for row in rows if not row.is_followed
    )
    return len(rows)


async def enrol_whom_rules_name(_: EnrolByRule, uow: UnitOfWork) -> int:
    """Enrol everybody whom a programme names and who is not enrolled yet; return how many."""
    return await enrol_by_rule(uow)


async def _notice(statement: Any, command: NoticeExpiry, uow: UnitOfWork) -> Sequence[Row[Any]]:
    binds = {"today": uow.now.date(), "now": uow.now, "limit": command.limit}
    # In the order of reps: the outbox locks a rep's event count, and two workers must not do it crosswise.
    return sorted(await uow.connection.execute(statement, binds), key=lambda row: (row.rep_id, row.award_id))


def _award(row: Row[Any]) -> dict[str, UUID | str | date]:
    names = ("award_id", "rep_id", "certification_code", "valid_to")
    return {name: getattr(row, name) for name in names}
