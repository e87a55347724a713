"""Reps as others hear of them: registered and changed, by ids and codes, and each one told of once."""

import asyncio

from services.assignment.reps.commands import AnnounceReps, announce_reps
from services.assignment.reps.worker import tell_of_reps
from shared.contracts.identity import rep_id_of
from shared.db.transact import Transactor
from shared.testing.waiting import eventually
from tests.service.assignment.conftest import Assignment

REGISTERED, CHANGED = "assignment.rep.registered.v1", "assignment.rep.changed.v1"
HEAD = "external_id,name,postal_code,languages,industries\n"


async def _import(assignment: Assignment, *rows: str) -> dict:
    answer = await assignment.http.post(
        "/v1/reps/imports", content=HEAD + "\n".join(rows), headers={"content-type": "text/csv"}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def _transactor(assignment: Assignment) -> Transactor:
    return Transactor(assignment.engine, assignment.clock, "/demo/assignment")


async def test_an_import_announces_who_is_new_or_differs_by_ids_and_codes(assignment: Assignment) -> None:
    await _import(assignment, "ada@example.com,Ada Diaz,01841,en;es,health", "bo,Bo Lund,,,")
    told = await assignment.events(REGISTERED)
    ada, bo = str(rep_id_of("ada@example.com")), str(rep_id_of("bo"))
    assert sorted(told, key=lambda one: one["rep_id"] != ada) == [
        {"rep_id": ada, "languages": ["en", "es"], "industries": ["health"], "need_kinds": []},
        {"rep_id": bo, "languages": [], "industries": [], "need_kinds": []},
    ]
    await _import(assignment, "ada@example.com,Ada Diaz,01841,en,health", "bo,Bo Lund,,,")
    assert [(one["rep_id"], one["languages"]) for one in await assignment.events(CHANGED)] == [(ada, ["en"])]
    assert len(await assignment.events(REGISTERED)) == 2


async def test_a_rehearsed_import_announces_nobody(assignment: Assignment) -> None:
    document = {"User": [{"Id": "005000000000001", "Name": "Ada Diaz"}]}
    answer = await assignment.http.post("/v1/crm/salesforce/imports?dry_run=true", json=document)
    assert answer.status_code == 200, answer.text
    assert await assignment.events(REGISTERED) == []


async def test_who_was_registered_before_reps_were_announced_is_told_of_once(assignment: Assignment) -> None:
    await _import(assignment, *(f"r{number},Rep {number},,en," for number in range(5)))
    await assignment.execute("DELETE FROM outbox")
    await assignment.execute("UPDATE reps SET announced_at = NULL")
    # Whom an import changes first is new to everybody, too.
    report = await _import(assignment, "r0,Rep 0,,es,")
    assert (report["registered"], report["changed"]) == (0, 1)
    assert [one["languages"] for one in await assignment.events(REGISTERED)] == [["es"]]
    transact = _transactor(assignment)
    asked = [transact(announce_reps, AnnounceReps(limit=2)) for _ in range(2)]
    assert sum(await asyncio.gather(*asked)) == 4
    assert await transact(announce_reps, AnnounceReps(limit=2)) == 0
    told = [one["rep_id"] for one in await assignment.events(REGISTERED)]
    assert sorted(told) == sorted(str(rep_id_of(f"r{number}")) for number in range(5))
    assert await assignment.events(CHANGED) == []


async def test_the_worker_tells_of_reps_and_leaves_at_once(assignment: Assignment) -> None:
    await assignment.execute(
        "INSERT INTO reps (rep_id, external_id, name, registered_at, changed_at)"
        " VALUES (:rep, 'old', 'Old Hand', now(), now())",
        rep=rep_id_of("old"),
    )
    stopping = asyncio.Event()
    worker = asyncio.create_task(tell_of_reps(_transactor(assignment), stopping))

    async def told() -> bool:
        return len(await assignment.events(REGISTERED)) == 1

    await eventually(told)
    stopping.set()
    await asyncio.wait_for(worker, 5)
