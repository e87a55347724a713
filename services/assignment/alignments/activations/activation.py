"""An activation: one plan takes over from another at one instant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from services.assignment.alignments.activations.refusals import EffectiveAtNotNow, LivePlanChanged
from services.assignment.plans.plan import LivePlan

Kind = Literal["activation", "rollback"]


@dataclass(frozen=True, slots=True)
class Activation:
    """What was put in force, instead of what, and how many accounts it concerned."""

    activation_id: UUID
    sequence: int
    plan_id: UUID
    previous_plan_id: UUID | None
    kind: Kind
    effective_at: datetime
    recorded_at: datetime
    recorded_by: str
    accounts: int
    moved: int
    gaps: int
    ties: int
    override_reason: str | None = None


def kind_of(plan_id: UUID, *, before_live: UUID | None) -> Kind:
    """Return what putting a plan in force is: a rollback if it was in force just before the live one."""
    return "rollback" if plan_id == before_live else "activation"


def choose_instant(wanted: datetime | None, *, live: LivePlan, next_instant: datetime) -> datetime:
    """Return when the plan takes over. Raises EffectiveAtNotNow."""
    if wanted is None:
        return next_instant
    if live.plan_id is not None:
        raise EffectiveAtNotNow(
            "effective_at: a plan is live, so the next takes over now; leave the field out. "
            "Only the very first activation may date back."
        )
    if wanted > next_instant:
        raise EffectiveAtNotNow("effective_at: lies ahead; leave it out to take over now.")
    return wanted


def check_replaces(replacing: UUID | None, live: LivePlan) -> None:
    """Check that the plan to be replaced is the live one still. Raises LivePlanChanged."""
    if replacing is not None and replacing != live.plan_id:
        raise LivePlanChanged(
            f"replacing_plan_id: the live plan is {live.plan_id}; see the diff against it and decide anew.",
            live_plan_id=None if live.plan_id is None else str(live.plan_id),
        )
