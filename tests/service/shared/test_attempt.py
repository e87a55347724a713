"""Parts of a command that may be refused by themselves."""

from contextlib import suppress

from sqlalchemy import text

from shared.db.attempt import attempt
from shared.db.transact import Transactor
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.refusals import Refusal
from tests.service.shared import toy


class Refused(Refusal):
    """An odd number."""


async def _note(number: int, uow: UnitOfWork) -> None:
    await uow.connection.execute(text("INSERT INTO ledger (key) VALUES (:key)"), {"key": str(number)})
    uow.outbox.add(toy.Happened(thing="lamp", number=number))
    if number % 2:
        # The database itself refuses: without a savepoint nothing could be said any more.
        with suppress(Exception):
            await uow.connection.execute(text("SELECT 1 / 0"))
        raise Refused("number: is odd.")


async def _note_all(numbers: range, uow: UnitOfWork) -> None:
    for number in numbers:
        with suppress(Refused):
            await attempt(_note, number, uow)


async def test_what_is_refused_leaves_neither_a_row_nor_an_event(engine, clock, query):
    await Transactor(engine=engine, clock=clock, source="/toy")(_note_all, range(5))
    assert await query("SELECT key FROM ledger ORDER BY entry") == [("0",), ("2",), ("4",)]
    assert await query("SELECT (payload->>'number')::int, aggregateversion FROM outbox ORDER BY seq") == [
        (0, 1),
        (2, 2),
        (4, 3),
    ]
