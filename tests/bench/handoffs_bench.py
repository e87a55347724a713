"""handoffs: 20,000 moved accounts become 20,000 handoffs, each with its clock; and a page of them, through HTTP."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from services.collab.consumers import CONSUMERS
from services.collab.protocols.commands import PutCalendar, PutProtocol, put_calendar, put_protocol
from services.collab.protocols.schemas import CalendarBody, ProtocolBody
from shared.contracts.assignment import (
    AccountAligned,
    CoverageStarted,
    PlanActivated,
    TerritoryNode,
    TreePublished,
)
from shared.contracts.envelope import Envelope, EventContract
from shared.db.transact import Transactor
from shared.messaging.received import Received
from shared.runtime.clock import SystemClock
from tests.bench.beside import beside
from tests.bench.load import Call
from tests.bench.report import Result, paired, rates
from tests.bench.stage import Stage

MOVES, BATCH, ACCOUNTS = 20_000, 500, 100_000
ROOT, NORTH, SOUTH = (UUID(int=number) for number in (1, 2, 3))
_NOW = datetime(2026, 11, 2, tzinfo=UTC)
_PAGE = """
SELECT handoff_id, account_id, from_territory_id, to_territory_id, state, opened_at
FROM handoffs WHERE state = 'sent' ORDER BY handoff_id LIMIT 51
"""
# The floor writes the same rows into copies of the tables, with their indexes and checks.
_COPIED = ("handoffs", "obligations", "timers", "outbox")
_RAW_ALIGN = "UPDATE public.bare_alignments SET territory_id = $2 WHERE account_id = ANY ($1::uuid[])"
_RAW_OPEN = """
WITH opened AS (
    INSERT INTO public.bare_handoffs (handoff_id, account_id, from_territory_id, to_territory_id, activation_id,
        effective_at, template, state, opened_at)
    SELECT uuidv7(), id, $2, $3, $4, $5, 'account.v1', 'sent', $5 FROM unnest($1::uuid[]) AS u (id)
    RETURNING handoff_id, account_id
), owed AS (
    INSERT INTO public.bare_obligations (obligation_id, protocol_id, protocol_version, duty, subject_id, account_id,
        territory_id, rep_id, state, started_at, opened_at, due_at)
    SELECT uuidv7(), $6, 1, 'accept', handoff_id, account_id, $3, $7, 'open', $5, $5, $5 FROM opened
    RETURNING obligation_id
), clocks AS (
    INSERT INTO public.bare_timers (obligation_id, loop, step, action, due_at)
    SELECT obligation_id, 1, t.step, t.action, $5
    FROM owed CROSS JOIN (VALUES (1, 'remind'), (2, 'escalate'), (3, 'breach')) AS t (step, action)
)
INSERT INTO public.bare_outbox (aggregatetype, aggregateid, type, payload, source, aggregateversion)
SELECT 'raw', told.id::text, 'raw', jsonb_build_object('id', told.id, 'about', $4::uuid, 'by', $7::uuid), 'raw', 1
FROM (SELECT handoff_id AS id FROM opened UNION ALL SELECT obligation_id FROM owed) AS told
"""


async def run(stage: Stage) -> list[Result]:
    """Measure handoffs opened per second in batches of a consumer, and pages of them per second."""
    database = await stage.databases.for_service("collab")
    engine = database.build_engine()
    raw = await asyncpg.connect(database.admin_url)
    transact = Transactor(engine, SystemClock(), "/bench/collab")
    accounts = [uuid4() for _ in range(ACCOUNTS)]
    await go_live(transact)
    rep = await lay_down_clocks(transact)
    version = 1
    await feed(transact, [aligned(account, None, NORTH) for account in accounts], version=version)
    await raw.execute("CREATE TABLE public.bare_alignments (account_id uuid PRIMARY KEY, territory_id uuid)")
    await raw.execute("INSERT INTO public.bare_alignments SELECT unnest($1::uuid[]), $2", accounts, NORTH)
    for name in _COPIED:
        await raw.execute(f"CREATE TABLE public.bare_{name} (LIKE collab.{name} INCLUDING ALL)")
    await raw.execute("VACUUM ANALYZE")
    sides = [NORTH, SOUTH]
    samples = iter(range(ACCOUNTS // MOVES * 10))

    async def ours() -> float:
        # Other accounts each time, so that every move opens a handoff and none supersedes one.
        nonlocal version
        start = next(samples) % (ACCOUNTS // MOVES) * MOVES
        if not start:
            version += 1
            sides.reverse()
            await raw.execute("TRUNCATE collab.timers, collab.obligations, collab.handoffs CASCADE")
        moves = [aligned(account, sides[1], sides[0]) for account in accounts[start : start + MOVES]]
        started = time.perf_counter()
        await feed(transact, moves, version=version)
        return MOVES / (time.perf_counter() - started)

    async def floor() -> float:
        activation = uuid4()
        await raw.execute(f"TRUNCATE {', '.join(f'public.bare_{name}' for name in _COPIED)}")
        started = time.perf_counter()
        for start in range(0, MOVES, BATCH):
            ids = accounts[start : start + BATCH]
            async with raw.transaction():
                await raw.execute(_RAW_ALIGN, ids, SOUTH)
                await raw.execute(_RAW_OPEN, ids, NORTH, SOUTH, activation, _NOW, uuid4(), rep)
        return MOVES / (time.perf_counter() - started)

    values, floors = await paired(ours, floor)
    note = (
        f"batches of {BATCH}, {ACCOUNTS} accounts, one protocol in force; floor: the same rows by raw statements, "
        "in as many transactions"
    )
    opened = rates("handoffs", "open-20k", unit="handoffs/s", values=values, floors=floors, note=note)
    await engine.dispose()
    await raw.execute("VACUUM ANALYZE")
    await raw.close()
    async with beside(database, _PAGE) as both:
        call = Call("GET", "/v1/handoffs?state=sent&limit=50", both.issuer.headers("viewer"))
        return [opened, await both.compare("handoffs", "page-of-50", call, floor=Call("GET", "/rows", {}))]


async def go_live(transact: Transactor) -> None:
    nodes = tuple(
        TerritoryNode(
            territory_id=territory, parent_id=None if territory == ROOT else ROOT, kind="geographic"
        )
        for territory in (ROOT, NORTH, SOUTH)
    )
    plan_id, tree_id = uuid4(), uuid4()
    await feed(transact, [TreePublished(plan_id=plan_id, tree_id=tree_id, territories=nodes)], version=1)
    live = PlanActivated(
        plan_id=plan_id,
        tree_id=tree_id,
        activation_id=uuid4(),
        kind="activation",
        effective_at=_NOW,
        previous_plan_id=None,
        sequence=1,
        moved_accounts=0,
    )
    await feed(transact, [live], version=1)


async def lay_down_clocks(transact: Transactor) -> UUID:
    """Have a handoff accepted in two business days, as the demo has it, and both sides covered; return the rep."""
    calendar = CalendarBody.model_validate(
        {
            "time_zone": "America/Chicago",
            "hours": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}],
            "holidays": [],
        }
    )
    protocol = ProtocolBody.model_validate(
        {
            "name": "A handoff is accepted in two business days",
            "trigger": "handoff-opened",
            "due": {"amount": 2, "unit": "days"},
            "steps": [
                {"action": "remind", "after": {"amount": 1, "unit": "days"}},
                {"action": "escalate"},
                {"action": "breach"},
            ],
        }
    )
    written = PutCalendar("business", None, calendar.time_zone, calendar.written_hours(), calendar.holidays)
    await transact(put_calendar, written)
    await transact(put_protocol, PutProtocol("handoff-acceptance", None, protocol.content()))
    rep = uuid4()
    covers = [
        CoverageStarted(
            coverage_id=uuid4(),
            territory_id=territory,
            rep_id=rep,
            role="primary",
            share_percent=Decimal(100),
            valid_from=_NOW,
        )
        for territory in (NORTH, SOUTH)
    ]
    await feed(transact, covers, version=1)
    return rep


async def feed(transact: Transactor, events: list[Any], *, version: int) -> None:
    """Hand events to whatever collab's consumers do with them, a batch to a transaction."""
    contract = type(events[0])
    handlers = [
        subscription.handlers[contract]
        for subscriptions in CONSUMERS.values()
        for subscription in subscriptions
        if contract in subscription.handlers
    ]
    for handler in handlers:
        for start in range(0, len(events), BATCH):
            await transact(handler, [_received(event, version) for event in events[start : start + BATCH]])


def _received(event: EventContract, version: int) -> Received[Any]:
    envelope = Envelope(id=str(uuid4()), source="/bench", type=event.TYPE, aggregateversion=version)
    return Received(event, envelope, event.TOPIC, 0, version, event.key)


def aligned(account: UUID, source: UUID | None, target: UUID) -> AccountAligned:
    return AccountAligned(
        account_id=account,
        from_territory_id=source,
        to_territory_id=target,
        valid_from=_NOW,
        plan_id=UUID(int=7),
        activation_id=None if source is None else UUID(int=8),
        cause="rule",
        rule_id=None,
    )
