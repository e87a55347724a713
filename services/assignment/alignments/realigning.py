"""Aligning accounts by a plan inside a transaction that holds the live pointer: all of them, or a few."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.applying import Application, apply_changes
from services.assignment.alignments.realignment import VALID_FROM, Realignment, find_changes
from services.assignment.alignments.units import read_some_units, read_units
from services.assignment.rules.matcher import Matcher
from services.assignment.rules.queries import load_rules
from shared.db.unit_of_work import UnitOfWork

_LATEST = text("SELECT max(valid_from) FROM open_alignments")
_TICK = timedelta(microseconds=1)


async def load_matcher(read: AsyncConnection, plan_id: UUID) -> Matcher:
    """Return the matcher of a plan's rules."""
    return Matcher(await load_rules(read, plan_id))


async def next_instant(uow: UnitOfWork) -> datetime:
    """Return an instant after every open alignment began: now, unless a clock ran ahead of ours."""
    latest: datetime | None = (await uow.connection.execute(_LATEST)).scalar_one()
    return _after(uow.now, latest)


async def realign_all(uow: UnitOfWork, application: Application) -> Realignment:
    """Align every account by a plan. The caller holds the live pointer through lock_live_plan."""
    matcher = await load_matcher(uow.connection, application.plan_id)
    total = Realignment()
    async for units in read_units(uow.connection):
        part = await asyncio.to_thread(find_changes, matcher, units)
        total.count(part)
        await apply_changes(uow, part.changes, application)
        # Chunk by chunk: one statement with 100,000 events outgrows the statement's time limit. The chunks
        # rise by account id, so the version rows are still locked in one order.
        await uow.outbox.flush(uow.connection)
    return total


async def realign_some(
    uow: UnitOfWork, account_ids: Collection[UUID], matcher: Matcher, plan_id: UUID
) -> int:
    """Align a few accounts by the live plan and return how many moved.

    The caller holds the pointer through hold_live_plan, and has the accounts' rows locked.
    """
    units = await read_some_units(uow.connection, account_ids)
    found = await asyncio.to_thread(find_changes, matcher, units)
    latest = max((unit[VALID_FROM] for unit in units if unit[VALID_FROM] is not None), default=None)
    await apply_changes(uow, found.changes, Application(plan_id, _after(uow.now, latest)))
    return found.moved


def _after(now: datetime, latest: datetime | None) -> datetime:
    return now if latest is None else max(now, latest + _TICK)
