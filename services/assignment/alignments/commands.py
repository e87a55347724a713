"""Realign: match accounts by a plan and write down what differs, in a transaction that holds the live plan.

Every account that changes territory is one event, added in the same transaction.
"""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from services.assignment.accounts.states import ACCOUNT_STATE
from services.assignment.accounts.versions.commands import instant_after
from services.assignment.alignments.queries import load_matcher, read_some_units, read_units
from services.assignment.alignments.realignment import Change, Realignment, find_changes
from services.assignment.rules.matcher import Matcher
from shared.contracts.assignment import AccountAligned
from shared.db.unit_of_work import UnitOfWork

_LATEST = text("""
SELECT (SELECT max(valid_from) FROM open_alignments) AS aligned,
       (SELECT max(lower(valid)) FROM account_versions WHERE upper_inf(valid)) AS changed
""")
_CLOSE = text("""
UPDATE alignments SET valid = tstzrange(lower(alignments.valid), :at)
FROM unnest(CAST(:account_ids AS uuid[])) AS changed (account_id)
WHERE alignments.account_id = changed.account_id AND upper_inf(alignments.valid)
""")
_OPEN = text("""
INSERT INTO alignments
    (account_id, valid, territory_id, plan_id, rule_id, cause, reason, activation_id, recorded_at)
SELECT i.account_id, tstzrange(:at, NULL), i.territory_id, :plan_id, i.rule_id, i.cause, i.reason,
       :activation_id, :now
FROM unnest(CAST(:account_ids AS uuid[]), CAST(:territory_ids AS uuid[]), CAST(:rule_ids AS uuid[]),
            CAST(:causes AS text[]), CAST(:reasons AS text[]))
    AS i (account_id, territory_id, rule_id, cause, reason)
""")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Under which plan accounts are realigned, from which instant on, and by which activation if by one."""

    plan_id: UUID
    at: datetime
    activation_id: UUID | None = None


async def next_instant(uow: UnitOfWork) -> datetime:
    """Return an instant after every open alignment began: now, unless a clock ran ahead of ours.

    Accounts are as they are then: no version of one begins later.
    """
    latest = (await uow.connection.execute(_LATEST)).one()
    return max(instant_after(uow.now, latest.aligned), latest.changed or uow.now)


async def realign_all(uow: UnitOfWork, occasion: Occasion) -> Realignment:
    """Align every account by a plan. The caller holds the live plan through lock_live_plan."""
    # What dates back is matched by the pins of today: they are what the planner has seen in the diff.
    matcher = await load_matcher(uow.connection, occasion.plan_id, at=max(occasion.at, uow.now))
    total = Realignment()
    async for units in read_units(uow.connection, occasion.plan_id):
        part = await asyncio.to_thread(find_changes, matcher, units)
        total.count(part)
        await _apply(uow, part.changes, occasion)
        # Chunk by chunk: one statement with 100,000 events outgrows the statement's time limit. The chunks
        # rise by account id, so the version rows are still locked in one order.
        await uow.outbox.flush(uow.connection)
    return total


async def realign_some(
    uow: UnitOfWork, account_ids: Collection[UUID], matcher: Matcher, occasion: Occasion
) -> int:
    """Align a few accounts by the live plan, as from when their versions begin; return how many moved.

    The caller holds the live plan through hold_live_plan, and has the accounts' rows locked.
    """
    units = await read_some_units(uow.connection, account_ids, occasion.plan_id)
    found = await asyncio.to_thread(find_changes, matcher, units)
    await _apply(uow, found.changes, occasion)
    return found.moved


async def _apply(uow: UnitOfWork, changes: Sequence[Change], occasion: Occasion) -> None:
    if not changes:
        return
    known = [change.account_id for change in changes if change.known]
    if known:
        await uow.connection.execute(_CLOSE, {"account_ids": known, "at": occasion.at})
    await uow.connection.execute(
        _OPEN,
        {
            "account_ids": [change.account_id for change in changes],
            "territory_ids": [change.match.territory_id for change in changes],
            "rule_ids": [change.match.rule_id for change in changes],
            "causes": [change.match.cause for change in changes],
            "reasons": [change.match.reason for change in changes],
            "plan_id": occasion.plan_id,
            "activation_id": occasion.activation_id,
            "at": occasion.at,
            "now": uow.now,
        },
    )
    # Thousands of events take a tenth of a second to spell out: elsewhere, so that the api goes on answering.
    await asyncio.to_thread(uow.outbox.add_all, _announce(changes, occasion))
    uow.outbox.add_states(ACCOUNT_STATE, (str(change.account_id) for change in changes if change.moved))


def _announce(changes: Iterable[Change], occasion: Occasion) -> Iterator[AccountAligned]:
    for change in changes:
        if change.moved:
            yield AccountAligned(
                account_id=change.account_id,
                from_territory_id=change.from_territory_id,
                to_territory_id=change.match.territory_id,
                valid_from=occasion.at,
                plan_id=occasion.plan_id,
                activation_id=occasion.activation_id,
                cause=change.match.cause,
                rule_id=change.match.rule_id,
            )
