"""The queue's tables are the library's own: what our migration makes is what it would install."""

import asyncpg

from services.assignment.design.jobs import queries_on
from tests.conftest import NewDatabase


async def test_the_migration_makes_what_the_library_would_install(service_database: NewDatabase):
    """An upgrade of pgqueuer that wants other tables is seen here, before a worker refuses to start on them."""
    database = await service_database("assignment")
    connection = await asyncpg.connect(database.owner_url)
    try:
        plan = await queries_on(connection).plan_upgrade()
    finally:
        await connection.close()
    assert (list(plan.statements), list(plan.notes)) == ([], [])
