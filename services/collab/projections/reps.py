"""Which reps there are, from assignment's rep events; asked when somebody is to be certified or enrolled."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.contracts.assignment import RepRegistered
from shared.db.unit_of_work import UnitOfWork
from shared.messaging.received import Received

_KEEP = text("""
INSERT INTO reps (rep_id) SELECT DISTINCT rep_id FROM unnest(CAST(:reps AS uuid[])) AS told (rep_id)
ORDER BY rep_id ON CONFLICT DO NOTHING
""")


async def keep_reps(received: Sequence[Received[RepRegistered]], uow: UnitOfWork) -> None:
    """Know each rep that was told of, by whichever event came first."""
    await uow.connection.execute(_KEEP, {"reps": [item.event.rep_id for item in received]})


def rep_known(rep: str) -> str:
    """Return SQL that is true where the rep in this column was told of, by itself or by a coverage.

    Topics come in any order: somebody who covers a territory is a rep, though no event has told so yet.
    """
    return (
        f"(EXISTS (SELECT 1 FROM reps AS known WHERE known.rep_id = {rep}) "
        f"OR EXISTS (SELECT 1 FROM coverages AS covered WHERE covered.rep_id = {rep}))"
    )
