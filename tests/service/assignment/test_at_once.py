"""What must hold while several callers act at the same time, with real transactions."""

import asyncio
import json
from collections import Counter
from contextlib import AsyncExitStack
from types import ModuleType
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.assignment.accounts.account import AccountDetails
from services.assignment.alignments.diffs import queries as diffs
from services.assignment.alignments.diffs import turns
from services.assignment.alignments.moves import queries as moves
from services.assignment.crm.shapes import System, Told
from services.assignment.crm.webhooks.commands import TakeDelivery, take_delivery
from services.assignment.crm.webhooks.record_change import RecordChange
from services.assignment.imports.commands import ImportAccounts, import_accounts
from services.assignment.imports.import_file import ImportFile
from services.assignment.plans.commands import switch_live_plan
from shared.contracts.identity import account_id_of
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.http import turns as shared_turns
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import CITY, NORTH, RULES, Assignment, county_rule

SWAPPED = [county_rule(CITY, "01003"), county_rule(NORTH, "01001"), RULES[2]]
MANY = 2_000


def _accounts(county: str, count: int = MANY) -> list[dict[str, str]]:
    return [{"external_id": f"{county}-{number}", "county": county} for number in range(count)]


async def test_two_planners_activating_one_draft_get_one_activation(assignment: Assignment) -> None:
    await assignment.import_accounts(*_accounts("01001"))
    plan_id = await assignment.draft()
    answers = await asyncio.gather(
        *(
            assignment.http.post(f"/v1/plans/{plan_id}/activations", headers={"if-match": '"3"'})
            for _ in range(3)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    refused = [answer.json()["code"] for answer in answers if answer.status_code == 409]
    assert refused == ["plan-already-active"] * 2
    assert len(await assignment.events("assignment.plan.activated.v1")) == 1
    assert len(await assignment.events("assignment.account.aligned.v1")) == MANY


async def test_of_two_drafts_read_against_one_live_plan_only_one_replaces_it(assignment: Assignment) -> None:
    live_id = await assignment.live({"external_id": "a", "county": "01001"})
    drafts = [await assignment.clone(live_id) for _ in range(2)]
    answers = await asyncio.gather(
        *(
            assignment.http.post(
                f"/v1/plans/{draft}/activations",
                json={"replacing_plan_id": live_id},
                headers={"if-match": '"1"'},
            )
            for draft in drafts
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    (refused,) = [answer.json() for answer in answers if answer.status_code == 409]
    assert refused["code"] == "live-plan-changed"
    assert refused["live_plan_id"] in drafts


async def test_two_planners_rolling_back_get_one_rollback(assignment: Assignment) -> None:
    live_id = await assignment.live({"external_id": "a", "county": "01001"})
    clone_id = await assignment.clone(live_id, SWAPPED)
    await assignment.activate(clone_id)
    answers = await asyncio.gather(
        *(assignment.http.post(f"/v1/plans/{clone_id}/rollbacks") for _ in range(2))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]
    assert {answer.json().get("code") for answer in answers} == {None, "plan-not-live"}


async def test_imports_during_activations_end_aligned_by_the_live_plan(assignment: Assignment) -> None:
    """The pointer is held by both sides: an import that saw the old plan is seen by the activation."""
    live_id = await assignment.live(*_accounts("01001", 300))
    swapped_id = await assignment.clone(live_id, SWAPPED)

    async def swing() -> None:
        await assignment.activate(swapped_id)
        await assignment.post(f"/v1/plans/{swapped_id}/rollbacks")
        await assignment.activate(swapped_id)

    async def feed(wave: int) -> None:
        for part in range(5):
            county = "01001" if part % 2 else "01003"
            await assignment.import_accounts(
                *({"external_id": f"w{wave}-{n}", "county": county} for n in range(40 * (part + 1)))
            )

    await asyncio.gather(swing(), *(feed(wave) for wave in range(3)))

    expected = {"01001": NORTH, "01003": CITY}
    found = await assignment.rows(
        "SELECT county, territory_id FROM accounts LEFT JOIN open_alignments USING (account_id)"
    )
    assert len(found) == 300 + 3 * 200
    assert all(territory == expected[county] for county, territory in found)
    # Every aligned event continues where the account's event before it ended.
    chains = await assignment.rows(
        """SELECT count(*) FROM (
            SELECT payload->>'from_territory_id' AS origin,
                   lag(payload->>'to_territory_id') OVER (PARTITION BY aggregateid ORDER BY aggregateversion)
                   AS before
            FROM outbox WHERE type = 'assignment.account.aligned.v1'
        ) AS steps WHERE origin IS DISTINCT FROM before"""
    )
    assert chains == [(0,)]


async def test_readers_polling_during_an_activation_never_see_a_mix(assignment: Assignment) -> None:
    """All accounts of a county sit in one territory, before and after; a page of both would be a mix."""
    live_id = await assignment.live(*_accounts("01001"), *_accounts("01003", 50))
    swapped_id = await assignment.clone(live_id, SWAPPED)
    done = asyncio.Event()
    seen: Counter[tuple[str, ...]] = Counter()

    async def poll() -> None:
        while not done.is_set():
            page = await assignment.get("/v1/accounts", limit=500)
            placed = {
                (account["county"], account["alignment"]["territory_id"], account["alignment"]["plan_id"])
                for account in page["items"]
                if account["county"] == "01001"
            }
            assert len(placed) == 1, placed
            seen[placed.pop()] += 1

    async def watch_counts() -> None:
        while not done.is_set():
            counts = await assignment.rows(
                "SELECT l.plan_id, a.territory_id, count(*) FROM live_plan l, open_alignments a GROUP BY 1, 2"
            )
            by_territory = {territory: count for _, territory, count in counts}
            plan = str(counts[0][0])
            home = CITY if plan == live_id else NORTH
            assert by_territory[home] == MANY

    async def switch() -> None:
        try:
            await assignment.activate(swapped_id)
            await assignment.post(f"/v1/plans/{swapped_id}/rollbacks")
        finally:
            done.set()

    await asyncio.gather(switch(), poll(), poll(), watch_counts())
    assert {(territory, plan) for _, territory, plan in seen} <= {
        (str(CITY), live_id),
        (str(NORTH), swapped_id),
    }
    assert sum(seen.values()) > 2


async def test_two_diffs_are_computed_at_once_and_others_wait_without_a_connection(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = await assignment.live(*_accounts("01001", 50))
    running: list[str] = []
    peaks: Counter[tuple[int, int]] = Counter()

    def watched(queries: ModuleType, name: str) -> None:
        original = getattr(queries, name)

        async def run(*arguments: Any, **named: Any) -> Any:
            running.append(name)
            peaks[len(running), assignment.engine.pool.checkedout()] += 1  # type: ignore[attr-defined]
            try:
                return await original(*arguments, **named)
            finally:
                running.remove(name)

        monkeypatch.setattr(queries, name, run)

    for queries, name in ((diffs, "diff_plan"), (moves, "list_moves"), (moves, "list_gaps")):
        watched(queries, name)
    await asyncio.gather(
        *(assignment.get(f"/v1/plans/{plan_id}/{part}") for part in ("diff", "moves", "gaps") * 2)
    )
    assert sum(peaks.values()) == 6
    assert max(peaks) == (2, 2)
    assert all(connections <= 2 for _, connections in peaks)


async def test_who_waits_too_long_for_a_diff_is_told_what_is_under_way(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_id = await assignment.live()
    monkeypatch.setattr(shared_turns, "PATIENCE_SECONDS", 0.05)
    held: shared_turns.Turns = assignment.http._transport.app.state.diff_turns  # type: ignore[attr-defined]
    async with AsyncExitStack() as holding:
        for _ in range(turns.AT_ONCE):
            await holding.enter_async_context(held.take())
        for part in ("diff", "moves", "gaps"):
            answer = await assignment.http.get(f"/v1/plans/{plan_id}/{part}")
            assert (answer.status_code, answer.json()["code"]) == (503, "diffs-busy")
            assert answer.headers["retry-after"]
            assert "2 diffs are being computed" in answer.json()["detail"]
    # Who gave up has taken no turn along.
    await asyncio.gather(*(assignment.get(f"/v1/plans/{plan_id}/diff") for _ in range(turns.AT_ONCE)))


@pytest.mark.parametrize("lock", ["_shared", ""])
async def test_who_waits_too_long_for_the_live_plan_is_told_what_is_under_way(
    assignment: Assignment, monkeypatch: pytest.MonkeyPatch, lock: str
) -> None:
    """An import shares the live plan and an activation has it alone; each waits for the other."""
    live_id = await assignment.live({"external_id": "a", "county": "01001"})
    clone_id = await assignment.clone(live_id)
    before = await assignment.open_alignments()
    monkeypatch.setattr(switch_live_plan, "PATIENCE_SECONDS", 0.05)
    async with assignment.engine.begin() as holder:
        await holder.execute(
            text(f"SELECT pg_advisory_xact_lock{lock}(hashtextextended('assignment.live_plan', 0))")
        )
        refused = [
            await assignment.http.post(f"/v1/plans/{clone_id}/activations", headers={"if-match": '"1"'}),
            await assignment.http.post(f"/v1/plans/{live_id}/rollbacks"),
        ]
        imported = await assignment.http.post(
            "/v1/accounts/imports", content="external_id,name\nb,B\n", headers={"content-type": "text/csv"}
        )
        if lock == "":
            refused.append(imported)
        else:
            assert imported.status_code == 200
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "plan-busy")
        assert answer.json()["outcome"] == "unchanged"
        assert answer.headers["retry-after"]
        assert "under way; nothing was changed" in answer.json()["detail"]
    assert [row for row in await assignment.open_alignments() if row[0] == account_id_of("a")] == before
    await assignment.activate(clone_id)


async def test_who_waits_too_long_for_a_plan_is_told_so(assignment: Assignment) -> None:
    plan_id = await assignment.draft()
    async with assignment.engine.begin() as holder:
        await holder.execute(text("SELECT 1 FROM plans FOR UPDATE"))
        answers = await asyncio.gather(
            assignment.http.put(
                f"/v1/plans/{plan_id}/rules", json={"rules": []}, headers={"if-match": '"3"'}
            ),
            assignment.http.post(f"/v1/plans/{plan_id}/clones", json={"name": "Clone"}),
        )
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "plan-busy")
        assert "The plan is being changed" in answer.json()["detail"]


async def test_an_activation_that_fails_on_the_way_leaves_no_trace(assignment: Assignment) -> None:
    live_id = await assignment.live(*_accounts("01001", 20))
    clone_id = await assignment.clone(live_id, SWAPPED)
    before = await assignment.open_alignments()
    # The last thing an activation writes is refused by the database.
    await assignment.execute(
        "INSERT INTO activations SELECT uuidv7(), 2, plan_id, NULL, kind, effective_at, recorded_at, "
        "recorded_by, 0, 0, 0, 0 FROM activations"
    )
    transport = httpx.ASGITransport(assignment.http._transport.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://assignment") as client:
        answer = await client.post(
            f"/v1/plans/{clone_id}/activations",
            headers={"if-match": '"2"', **assignment.caller("admin")},
        )
    assert answer.status_code == 500
    assert await assignment.open_alignments() == before
    assert len(await assignment.events("assignment.plan.activated.v1")) == 1
    assert (await assignment.get(f"/v1/plans/{clone_id}"))["state"] == "draft"


@pytest.mark.parametrize("kind", ["same", "other"])
async def test_a_retried_activation_is_answered_from_memory(assignment: Assignment, kind: str) -> None:
    plan_id = await assignment.draft()
    await assignment.import_accounts({"external_id": "a", "county": "01001"})
    headers = {"if-match": '"3"', "idempotency-key": "press-1"}
    path = f"/v1/plans/{plan_id}/activations"
    first = await assignment.http.post(path, json={}, headers=headers)
    body = {} if kind == "same" else {"replacing_plan_id": str(account_id_of("x"))}
    again = await assignment.http.post(path, json=body, headers=headers)
    if kind == "same":
        assert (again.status_code, again.json()) == (201, first.json())
        assert again.headers["idempotent-replayed"] == "true"
    else:
        assert (again.status_code, again.json()["code"]) == (422, "idempotency-key-reused")
    assert len(await assignment.events("assignment.plan.activated.v1")) == 1


async def test_a_retried_import_is_answered_from_memory(assignment: Assignment) -> None:
    headers = {"content-type": "application/x-ndjson", "idempotency-key": "file-1"}
    content = json.dumps({"external_id": "a", "name": "A"})
    first = await assignment.http.post("/v1/accounts/imports", content=content, headers=headers)
    again = await assignment.http.post("/v1/accounts/imports", content=content, headers=headers)
    assert first.json() == again.json()
    assert again.json()["registered"] == 1
    assert again.headers["idempotent-replayed"] == "true"


async def _waiting(assignment: Assignment, count: int) -> None:
    """Return once so many sessions of this database wait for a lock."""

    async def wait() -> bool:
        return await assignment.rows(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ) == [(count,)]

    await eventually(wait)


async def test_imports_queue_behind_an_activation_that_waits(assignment: Assignment) -> None:
    """However steady the stream of imports, an activation's turn comes after those that were there before it."""
    transact = Transactor(assignment.engine, assignment.clock, source="test")
    turns: list[str] = []
    held, go = asyncio.Event(), asyncio.Event()

    async def hold(name: str, uow: UnitOfWork) -> None:
        await switch_live_plan.hold_live_plan(uow)
        turns.append(name)
        if name == "before":
            held.set()
            await go.wait()

    async def switch(name: str, uow: UnitOfWork) -> None:
        await switch_live_plan.lock_live_plan(uow)
        turns.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(transact(hold, "before"))
        await held.wait()
        group.create_task(transact(switch, "activation"))
        await _waiting(assignment, 1)
        group.create_task(transact(hold, "after"))
        await _waiting(assignment, 2)
        go.set()
    assert turns == ["before", "activation", "after"]


async def test_what_is_told_in_part_is_laid_over_what_another_registers_meanwhile(
    assignment: Assignment,
) -> None:
    """A delivery that knows one field waits for the import that registers the account, and keeps the others."""
    await assignment.execute(
        "INSERT INTO webhook_sources (source, url, sealed_secret, secret_since, recorded_by) "
        "VALUES ('hubspot', NULL, '\\x00', now(), 'x')"
    )
    transact = Transactor(assignment.engine, assignment.clock, source="test")
    stored, go = asyncio.Event(), asyncio.Event()

    async def register(command: ImportAccounts, uow: UnitOfWork) -> None:
        await import_accounts(command, uow)
        stored.set()
        await go.wait()

    whole = AccountDetails("acme", "Acme Inc", "35203", "01001", "AL", 33.5, -86.8, "retail", 120)
    told = Told(external_id="acme", fields={"employees": "130"}, names={})
    delivery = TakeDelivery(System.HUBSPOT, [RecordChange("k1", assignment.clock.now(), told)])
    async with asyncio.TaskGroup() as group:
        group.create_task(transact(register, ImportAccounts(ImportFile(1, 0, (whole,), ()))))
        await stored.wait()
        taking = group.create_task(transact(take_delivery, delivery))
        await _waiting(assignment, 1)
        go.set()
    assert (taking.result().registered, taking.result().changed) == (0, 1)
    assert await assignment.rows("SELECT name, postal_code, state, industry, employees FROM accounts") == [
        ("Acme Inc", "35203", "AL", "retail", 130)
    ]
