"""Reading activations: what was in force, and since when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.alignments.activations.activation import Activation
from services.assignment.plans.plan import LivePlan
from shared.http.pagination import PageRequest
from shared.runtime.refusals import NotFound

_SELECT = f"""
SELECT {", ".join(Activation.__dataclass_fields__)} FROM activations LEFT JOIN gate_overrides USING (activation_id)
"""
_FIND = text(f"{_SELECT} WHERE activation_id = :activation_id")
_LIST = text(f"""{_SELECT}
WHERE (CAST(:plan_id AS uuid) IS NULL OR plan_id = :plan_id)
  AND (CAST(:after AS uuid) IS NULL OR activation_id > :after)
ORDER BY activation_id LIMIT :rows
""")
_IN_FORCE = text(f"""{_SELECT}
WHERE effective_at <= :at ORDER BY sequence DESC LIMIT 1
""")
_PREVIOUS = text("SELECT previous_plan_id FROM activations WHERE activation_id = :activation_id")


async def find_activation(read: AsyncConnection, activation_id: UUID) -> Activation:
    """Return one activation. Raises NotFound."""
    row = (await read.execute(_FIND, {"activation_id": activation_id})).mappings().one_or_none()
    if row is None:
        raise NotFound("activation_id: there is no such activation.")
    return Activation(**row)


async def find_in_force(read: AsyncConnection, *, at: datetime) -> Activation | None:
    """Return the activation by which accounts were aligned at an instant; None before the first."""
    row = (await read.execute(_IN_FORCE, {"at": at})).mappings().one_or_none()
    return None if row is None else Activation(**row)


async def list_activations(
    read: AsyncConnection, *, plan_id: UUID | None, page: PageRequest
) -> list[Activation]:
    """Return activations, oldest first, one more than the page holds."""
    rows = await read.execute(_LIST, {"plan_id": plan_id, "after": page.after, "rows": page.limit + 1})
    return [Activation(**row) for row in rows.mappings()]


async def find_previous_plan(read: AsyncConnection, live: LivePlan) -> UUID | None:
    """Return the plan that was in force just before the live one, if there was one."""
    found = await read.execute(_PREVIOUS, {"activation_id": live.activation_id})
    previous_id: UUID | None = found.scalar_one_or_none()
    return previous_id
