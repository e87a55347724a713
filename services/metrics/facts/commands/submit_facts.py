"""Take facts in: judge each, and send those that count on their way to being counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.facts.conflicts.commands import keep_conflicts
from services.metrics.facts.intake import (
    Item,
    Told,
    judge,
    read_items,
    refuse_outside,
    split_into_records,
)
from shared.contracts.sales import FactsRecorded
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id

_KNOWN = text("""
SELECT entity_key, revision, payload_hash, account_id FROM facts WHERE entity_key = ANY(CAST(:keys AS uuid[]))
""")
_COVERED = text(f"""
SELECT account_id FROM accounts a
WHERE account_id = ANY(CAST(:accounts AS uuid[])) AND {Scope.covers("a.territory_id")}
""")


@dataclass(frozen=True, slots=True)
class SubmitFacts:
    """Facts as they were sent, not yet read, by somebody who may write within a scope."""

    sent: Sequence[Any]
    scope: Scope


async def submit_facts(command: SubmitFacts, uow: UnitOfWork) -> list[Item]:
    """Return what becomes of each fact. What counts is counted by the consumer, which decides finally."""
    items = read_items(command.sent)
    keys = [item.row.entity_key for item in items if item.row is not None]
    found = await uow.connection.execute(_KNOWN, {"keys": keys})
    known = {key: Told(revision, payload_hash, account) for key, revision, payload_hash, account in found}
    if not command.scope.everything:
        await _refuse_outside(command.scope, items, known, uow.connection)
    judge(items, known)
    counting = [item.fact for item in items if item.counts and item.fact is not None]
    # The facts are validated, and so many to a record; a record of them need not be validated again.
    uow.outbox.add_all(
        FactsRecorded.model_construct(batch_id=new_id(), facts=facts)
        for facts in split_into_records(counting)
    )
    # A telling that will outrank the one that is stored is no conflict; the consumer keeps that one as such.
    refused = [item.row for item in items if item.status == "conflict" and not item.counts and item.row]
    await keep_conflicts(refused, uow)
    return items


async def _refuse_outside(
    scope: Scope, items: Sequence[Item], known: Mapping[UUID, Told], connection: AsyncConnection
) -> None:
    """Refuse facts of accounts the caller may not see, the account of the revision before included.

    Else a correction could take a fact away from another territory, or the answer tell that it exists.
    """
    rows = [item.row for item in items if item.row is not None]
    accounts = {row.account_id for row in rows} | {told.account_id for told in known.values()}
    found = await connection.execute(
        _COVERED, {"accounts": [one for one in accounts if one is not None], **scope.parameters()}
    )
    refuse_outside(items, known, covered=set(found.scalars()))
