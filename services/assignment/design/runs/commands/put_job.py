"""Put a run before the workers, in the transaction that stores it: neither comes without the other."""

from uuid import UUID

from services.assignment.design.jobs import ENTRYPOINT, queries_on
from shared.db.driver import driver_of
from shared.db.unit_of_work import UnitOfWork


async def put_job(uow: UnitOfWork, run_id: UUID) -> None:
    """Queue a run that this transaction has stored, or holds; one that is queued already stays as it is."""
    # A statement of this unit of work has begun the transaction: what the library says on the same session is in it.
    jobs = queries_on(await driver_of(uow.connection))
    await jobs.enqueue(ENTRYPOINT, run_id.bytes, dedupe_key=str(run_id), on_conflict="skip")
