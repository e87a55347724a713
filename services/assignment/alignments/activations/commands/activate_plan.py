"""Put a plan in force.

The live plan is locked before anything is decided, so two planners who press the button together get one
activation and one refusal, and an import of accounts comes wholly before or wholly after.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.assignment.alignments.activations.activation import Activation, check_replaces, choose_instant
from services.assignment.alignments.activations.commands.take_over import TakenOver, take_over
from services.assignment.alignments.commands import next_instant
from services.assignment.alignments.gates.commands import record_override
from services.assignment.alignments.gates.queries import judge_plan
from services.assignment.alignments.gates.refusals import GateRefused
from services.assignment.plans.commands.revise_draft import lock_plan
from services.assignment.plans.commands.switch_live_plan import lock_live_plan
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ActivatePlan:
    """Make a plan the live one; `replacing_plan_id` names the plan its diff was read against.

    With a reason to override, the gate is recorded and not obeyed.
    """

    plan_id: UUID
    expected_version: int
    effective_at: datetime | None = None
    replacing_plan_id: UUID | None = None
    override_reason: str | None = None


async def activate_plan(command: ActivatePlan, uow: UnitOfWork) -> Activation:
    """Put a plan in force, with every move announced in the same transaction.

    Raises PlanAlreadyActive, VersionMismatch, PlanIncomplete, GateRefused, LivePlanChanged, EffectiveAtNotNow,
    PlanBusy, NotFound.
    """
    live = await lock_live_plan(uow)
    plan = await lock_plan(uow, command.plan_id)
    plan.check_activatable(command.expected_version)
    check_replaces(command.replacing_plan_id, live)
    at = choose_instant(command.effective_at, live=live, next_instant=await next_instant(uow))
    taken = await take_over(uow, plan, live, at)
    return await _pass_gate(uow, taken, command.override_reason)


async def _pass_gate(uow: UnitOfWork, taken: TakenOver, override_reason: str | None) -> Activation:
    # Judged by what the realignment has counted, so that accounts are matched once; a refusal takes it all back.
    activation = taken.activation
    report = await judge_plan(uow.connection, activation.plan_id, taken.realignment, at=uow.now)
    if not report.blocking:
        return activation
    if override_reason is None:
        told = ", ".join(f"{one.check} {one.value} > {one.threshold}" for one in report.blocking)
        raise GateRefused(
            f"plan_id: the gate keeps it from going in force: {told}. Follow each finding's fix, or have an "
            "administrator name a reason in override_reason.",
            findings=[finding.describe() for finding in report.findings],
        )
    await record_override(uow, activation.activation_id, override_reason, report.blocking)
    return replace(activation, override_reason=override_reason)
