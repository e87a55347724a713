"""Imports: what a file tells is stored, announced and aligned by the live plan, in one transaction."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import TypeVar
from uuid import UUID

from services.assignment.accounts.account import AccountDetails
from services.assignment.accounts.commands import upsert_accounts
from services.assignment.alignments.commands import Occasion, realign_some
from services.assignment.alignments.queries import load_matcher
from services.assignment.imports.import_file import ImportFile, RowError
from services.assignment.plans.commands.switch_live_plan import hold_live_plan
from services.assignment.reps.commands import upsert_reps
from services.assignment.reps.rep import RepDetails
from shared.db.transact import Overtaken
from shared.db.unit_of_work import UnitOfWork

T = TypeVar("T")

# Rows a statement: an upsert of 5,000 takes a tenth of a second and stays far from every limit.
CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class ImportAccounts:
    """Register the accounts of a file, or change them.

    `unknown` are those that the caller looked for and did not find, before filling in what is not told.
    """

    file: ImportFile[AccountDetails]
    unknown: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportReps:
    """Register the reps of a file, or change them; `unknown` as with accounts."""

    file: ImportFile[RepDetails]
    unknown: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of the rows of a file: received = registered + changed + unchanged + rejected."""

    received: int
    registered: int
    changed: int
    unchanged: int
    rejected: int
    aligned: int
    errors: tuple[RowError, ...]


async def import_accounts(command: ImportAccounts, uow: UnitOfWork) -> ImportReport:
    """Store what is right in the file; nothing of it, should the transaction fail.

    The live plan is held first: an activation comes before all of this or after all of it, so each account
    ends aligned by the plan that is live, whichever of the two was first. Raises PlanBusy, Overtaken.
    """
    live = await hold_live_plan(uow)
    matcher = None if live.plan_id is None else await load_matcher(uow.connection, live.plan_id, at=uow.now)
    registered = changed = aligned = 0
    for chunk in _chunks(await asyncio.to_thread(_by_id, command.file)):
        stored = await upsert_accounts(uow, dict(chunk))
        _refuse_overtaken(command.unknown, stored.changed)
        registered += len(stored.registered)
        changed += len(stored.changed)
        if matcher is not None and live.plan_id is not None:
            aligned += await realign_some(uow, stored.touched, matcher, Occasion(live.plan_id, stored.at))
        await uow.outbox.flush(uow.connection)
    return _report(command.file, registered, changed, aligned)


async def import_reps(command: ImportReps, uow: UnitOfWork) -> ImportReport:
    """Store the reps that are right in the file; nothing of it, should the transaction fail."""
    registered = changed = 0
    for chunk in _chunks(sorted(command.file.rows, key=lambda rep: rep.rep_id)):
        new, different = await upsert_reps(uow, chunk)
        _refuse_overtaken(command.unknown, different)
        registered += len(new)
        changed += len(different)
        await uow.outbox.flush(uow.connection)
    return _report(command.file, registered, changed, 0)


def _refuse_overtaken(unknown: frozenset[UUID], changed: Iterable[UUID]) -> None:
    # Registered by somebody else between looking and writing: what they told would be lost.
    if not unknown.isdisjoint(changed):
        raise Overtaken


def _by_id(file: ImportFile[AccountDetails]) -> list[tuple[UUID, AccountDetails]]:
    # In the order of ids, as accounts are always locked.
    return sorted(((row.account_id, row) for row in file.rows), key=itemgetter(0))


def _report(file: ImportFile[T], registered: int, changed: int, aligned: int) -> ImportReport:
    unchanged = file.received - file.rejected - registered - changed
    return ImportReport(file.received, registered, changed, unchanged, file.rejected, aligned, file.errors)


def _chunks(rows: Sequence[T]) -> Iterator[list[T]]:
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk
