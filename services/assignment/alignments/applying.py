"""Apply: write a realignment down, set-based, and announce every moved account in the same transaction."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.alignments.realignment import Change
from shared.contracts.assignment import AccountAligned
from shared.db.unit_of_work import UnitOfWork

_CLOSE = text("""
UPDATE alignments SET valid = tstzrange(lower(alignments.valid), :at)
FROM unnest(CAST(:account_ids AS uuid[])) AS changed (account_id)
WHERE alignments.account_id = changed.account_id AND upper_inf(alignments.valid)
""")
_OPEN = text("""
INSERT INTO alignments
    (account_id, valid, territory_id, plan_id, rule_id, cause, reason, activation_id, recorded_at)
SELECT i.account_id, tstzrange(:at, NULL), i.territory_id, :plan_id, i.rule_id, 'rule', i.reason,
       :activation_id, :now
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:territory_ids AS uuid[]), CAST(:rule_ids AS uuid[]),
            CAST(:reasons AS text[])) AS i (account_id, territory_id, rule_id, reason)
""")


@dataclass(frozen=True, slots=True)
class Application:
    """Under which plan changes are written down, from which instant on, and by which activation if by one."""

    plan_id: UUID
    at: datetime
    activation_id: UUID | None = None


async def apply_changes(uow: UnitOfWork, changes: Sequence[Change], application: Application) -> None:
    """End the alignments that change, begin those that follow, and add the events of those that moved."""
    if not changes:
        return
    known = [change.account_id for change in changes if change.known]
    if known:
        await uow.connection.execute(_CLOSE, {"account_ids": known, "at": application.at})
    await uow.connection.execute(
        _OPEN,
        {
            "account_ids": [change.account_id for change in changes],
            "territory_ids": [change.match.territory_id for change in changes],
            "rule_ids": [change.match.rule_id for change in changes],
            "reasons": [change.match.reason for change in changes],
            "plan_id": application.plan_id,
            "activation_id": application.activation_id,
            "at": application.at,
            "now": uow.now,
        },
    )
    # Thousands of events take a tenth of a second to spell out: elsewhere, so that the api goes on answering.
    await asyncio.to_thread(uow.outbox.add_all, _announce(changes, application))


def _announce(changes: Iterable[Change], application: Application) -> Iterator[AccountAligned]:
    for change in changes:
        if change.moved:
            yield AccountAligned(
                account_id=change.account_id,
                from_territory_id=change.from_territory_id,
                to_territory_id=change.match.territory_id,
                valid_from=application.at,
                plan_id=application.plan_id,
                activation_id=application.activation_id,
                cause="rule",
                rule_id=change.match.rule_id,
            )
