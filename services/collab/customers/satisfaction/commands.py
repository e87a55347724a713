"""Taking in answers to surveys: each counts once, however often it is sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.collab.customers.commands import lock_customer
from services.collab.customers.satisfaction.intake import Item, Told, judge, read_items
from services.collab.customers.satisfaction.score import ScoreKind
from shared.contracts.customers import SatisfactionRecorded
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_KNOWN = text("""
SELECT external_id, kind, score, answered_at FROM satisfaction_scores
WHERE account_id = :account AND external_id = ANY(CAST(:external_ids AS text[]))
""")
_RECORD = text("""
INSERT INTO satisfaction_scores (score_id, account_id, external_id, kind, score, answered_at, recorded_at,
    recorded_by)
SELECT s.score_id, :account, s.external_id, s.kind, s.score, s.answered_at, :now, :actor FROM unnest(
    CAST(:score_ids AS uuid[]), CAST(:external_ids AS text[]), CAST(:kinds AS text[]), CAST(:scores AS int[]),
    CAST(:moments AS timestamptz[])
) AS s (score_id, external_id, kind, score, answered_at)
""")


@dataclass(frozen=True, slots=True)
class RecordScores:
    """Enter what a customer answered."""

    account_id: UUID
    scope: Scope
    sent: Sequence[Any]


async def record_scores(command: RecordScores, uow: UnitOfWork) -> list[Item]:
    """Record the scores that are right and new, and return what became of each. Raises NotFound."""
    # Held, so that the same answer sent twice at once is told apart here and not by a broken constraint.
    await lock_customer(uow, command.account_id, command.scope)
    items = read_items(command.sent, uow.now)
    valid = [item.sent for item in items if item.sent is not None and item.status != "invalid"]
    rows = await uow.connection.execute(
        _KNOWN, {"account": command.account_id, "external_ids": [one.external_id for one in valid]}
    )
    known = {row.external_id: Told(ScoreKind(row.kind), row.score, row.answered_at) for row in rows}
    judge(items, known)
    await _record(command.account_id, items, uow)
    return items


async def _record(account_id: UUID, items: Sequence[Item], uow: UnitOfWork) -> None:
    fresh = []
    for item in items:
        if item.sent is not None and item.status == "recorded":
            item.score_id = new_id()
            fresh.append((item.score_id, item.sent))
    if not fresh:
        return
    await uow.connection.execute(
        _RECORD,
        {
            "account": account_id,
            "score_ids": [score_id for score_id, _ in fresh],
            "external_ids": [sent.external_id for _, sent in fresh],
            "kinds": [sent.kind.value for _, sent in fresh],
            "scores": [sent.score for _, sent in fresh],
            "moments": [sent.answered_at for _, sent in fresh],
            "now": uow.now,
            "actor": uow.actor,
        },
    )
    uow.outbox.add_all(
        SatisfactionRecorded(
            account_id=account_id,
            score_id=score_id,
            kind=sent.kind.value,
            score=sent.score,
            answered_at=sent.answered_at,
        )
        for score_id, sent in fresh
    )
