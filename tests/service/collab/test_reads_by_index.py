"""What a page costs depends on what its caller may see, not on how much there is."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.collab.handoffs.handoff import HandoffState
from services.collab.handoffs.queries import count_handoffs, list_handoffs
from services.collab.handoffs.visibility import HandoffFilter
from services.collab.notes.queries import list_notes
from services.collab.notes.visibility import Viewer
from shared.db.scope import EVERYWHERE, Scope
from tests.service.collab.conftest import NORTH, NORTH_CITY, SOUTH, Collab

MANY, FEW = 20_000, 5
HANDOFFS = """
INSERT INTO handoffs (handoff_id, account_id, activation_id, from_territory_id, to_territory_id, effective_at,
    template, state, opened_at)
SELECT uuidv7(), uuidv7(), :activation, :source, :target, now(), 'account.v1', :state, now()
FROM generate_series(1, :rows)
"""
ALIGNMENTS = """
INSERT INTO current_alignments (account_id, territory_id, version, valid_from)
SELECT account_id, to_territory_id, 1, now() FROM handoffs
"""
NOTES = """
INSERT INTO notes (note_id, subject_type, subject_id, account_id, author, written_at)
SELECT uuidv7(), 'account', account_id, account_id, 'ann', now() FROM handoffs ORDER BY handoff_id
"""
QUESTIONS = """
INSERT INTO notes (note_id, subject_type, subject_id, account_id, author, written_at)
SELECT uuidv7(), 'handoff', handoff_id, account_id, 'ann', now() FROM handoffs ORDER BY handoff_id
"""


class Explaining:
    """A connection that explains every statement before it runs it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.walked = 0

    async def execute(self, statement: Any, binds: dict[str, Any]) -> Any:
        explain = text(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement.text}")
        (plan,) = (await self._connection.execute(explain, binds)).scalar_one()
        self.walked += sum(_walked(node) for node in _nodes(plan["Plan"]))
        return await self._connection.execute(statement, binds)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _walked(node: dict[str, Any]) -> float:
    kept = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    return kept * node["Actual Loops"] if "Scan" in node["Node Type"] else 0


async def _fill(collab: Collab) -> None:
    """Many handoffs and notes of others, and then a few of the north's city."""
    elsewhere = [uuid4() for _ in range(2)]
    await collab.go_live()
    async with collab.engine.begin() as connection:
        for state, source, target, rows in (
            ("done", *elsewhere, MANY),
            ("sent", SOUTH, NORTH_CITY, FEW),
            ("sent", NORTH_CITY, SOUTH, FEW),
        ):
            binds = {"activation": uuid4(), "source": source, "target": target, "state": state, "rows": rows}
            await connection.execute(text(HANDOFFS), binds)
        await connection.execute(text(ALIGNMENTS))
        await connection.execute(text(NOTES))


ASKED = {
    "mine": (HandoffFilter(), Scope(False, (NORTH,))),
    "mine by state": (HandoffFilter(state=HandoffState.SENT), Scope(False, (NORTH,))),
    "a territory": (HandoffFilter(territory_id=NORTH), EVERYWHERE),
    "a territory of mine": (HandoffFilter(territory_id=NORTH_CITY), Scope(False, (NORTH,))),
    "by state": (HandoffFilter(state=HandoffState.SENT), EVERYWHERE),
}


@pytest.mark.parametrize("asked", ASKED)
async def test_a_page_of_handoffs_walks_what_it_shows(collab: Collab, asked: str):
    wanted, scope = ASKED[asked]
    await _fill(collab)
    async with collab.engine.connect() as connection:
        read: Any = Explaining(connection)
        found: list[UUID] = []
        while page := await list_handoffs(
            read, wanted, scope=scope, after=found[-1] if found else None, limit=4
        ):
            found += [row.handoff_id for row in page]
    assert len(found) == 2 * FEW
    assert found == sorted(set(found))
    assert read.walked < MANY / 10


async def test_counting_mine_walks_mine(collab: Collab):
    await _fill(collab)
    async with collab.engine.connect() as connection:
        read: Any = Explaining(connection)
        counted = await count_handoffs(read, HandoffFilter(), scope=Scope(False, (NORTH,)))
    assert (counted[HandoffState.SENT], sum(counted.values())) == (2 * FEW, 2 * FEW)
    assert read.walked < MANY / 10


@pytest.mark.parametrize("subject", ["nobody", "ann"])
async def test_a_page_of_notes_walks_what_the_caller_may_see(collab: Collab, subject: str):
    await _fill(collab)
    async with collab.engine.connect() as connection:
        read: Any = Explaining(connection)
        viewer = Viewer(subject, Scope(False, (NORTH,)))
        page = await list_notes(read, subject_type=None, subject_id=None, viewer=viewer, after=None, limit=10)
    assert len(page) == FEW
    assert read.walked < MANY / 10


async def test_a_wide_scope_sees_the_same(collab: Collab):
    """More territories than are asked one by one."""
    await _fill(collab)
    wide = {NORTH: None, NORTH_CITY: NORTH} | {uuid4(): NORTH for _ in range(150)}
    await collab.go_live(wide, sequence=2)
    scope = Scope(False, (NORTH,))
    async with collab.engine.connect() as connection:
        page = await list_handoffs(connection, HandoffFilter(), scope=scope, after=None, limit=100)
        counted = await count_handoffs(connection, HandoffFilter(), scope=scope)
        notes = await list_notes(
            connection,
            subject_type=None,
            subject_id=None,
            viewer=Viewer("nobody", scope),
            after=None,
            limit=10,
        )
    assert (len(page), sum(counted.values()), len(notes)) == (2 * FEW, 2 * FEW, FEW)


async def test_a_page_with_notes_on_handoffs_has_each_once_and_walks_what_it_shows(collab: Collab):
    """Of ten handoffs one side is mine: of five I have the account, too, and so what is written on it."""
    await _fill(collab)
    async with collab.engine.begin() as connection:
        await connection.execute(text(QUESTIONS))
    async with collab.engine.connect() as connection:
        read: Any = Explaining(connection)
        viewer = Viewer("nobody", Scope(False, (NORTH,)))
        found: list[UUID] = []
        while page := await list_notes(
            read,
            subject_type=None,
            subject_id=None,
            viewer=viewer,
            after=found[-1] if found else None,
            limit=4,
        ):
            found += [row.note_id for row in page]
    assert len(found) == 3 * FEW
    assert found == sorted(set(found))
    assert read.walked < MANY / 10
