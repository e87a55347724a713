"""Whether a proposal speaks of a draft and of alignments that are still the same."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.assignment.plans.queries import find_plan, read_live_plan


@dataclass(frozen=True, slots=True)
class Stale:
    """What is another than the run saw: the draft since it was asked for, the live plan since it read the alignments.

    `live_changed` is None where it was not noted what was live.
    """

    draft_changed: bool
    live_changed: bool | None


@dataclass(frozen=True, slots=True)
class Now:
    """The version of a draft, and how many times a plan has gone live."""

    plan_version: int
    live_sequence: int

    def stale(self, plan_version: int, live_sequence: int | None) -> Stale:
        """Tell what is another than a run saw."""
        live_changed = None if live_sequence is None else live_sequence != self.live_sequence
        return Stale(plan_version != self.plan_version, live_changed)


async def read_now(read: AsyncConnection, plan_id: UUID) -> Now:
    """Return what a run of the plan would see now. Raises NotFound."""
    plan, live = await find_plan(read, plan_id), await read_live_plan(read)
    return Now(plan.version, live.sequence)
