"""Drafting, changing, activating and cancelling goals."""

from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.metrics.attribution.queries import require_territory
from services.metrics.goals.goal import Goal
from services.metrics.goals.queries import TERMS, GoalFound, find_goal, find_surroundings
from services.metrics.goals.smart import Finding, check
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import GoalTerms
from shared.contracts.metrics import GoalCancelled
from shared.db.scope import Scope
from shared.db.unit_of_work import UnitOfWork
from shared.runtime.ids import new_id
from shared.runtime.refusals import VersionMismatch


@dataclass(frozen=True, slots=True)
class DraftGoal:
    """Set down a goal, as smart as it is."""

    terms: GoalTerms
    scope: Scope


@dataclass(frozen=True, slots=True)
class ChangeGoal:
    """Give a draft other terms."""

    goal_id: UUID
    expected_version: int
    terms: GoalTerms
    scope: Scope


@dataclass(frozen=True, slots=True)
class ActivateGoal:
    """Begin to follow a goal, if it is smart."""

    goal_id: UUID
    expected_version: int | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class CancelGoal:
    """Give a goal up."""

    goal_id: UUID
    expected_version: int | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class CheckedGoal:
    """A goal and what the SMART check finds."""

    found: GoalFound
    findings: list[Finding]


_ADD = text(f"""
INSERT INTO goals (goal_id, state, version, {", ".join(TERMS)}, created_at, created_by)
VALUES (:goal_id, :state, :version, {", ".join(f":{name}" for name in TERMS)}, :now, :actor)
""")
_SAVE = text(f"""
UPDATE goals SET state = :state, version = :version, {", ".join(f"{name} = :{name}" for name in TERMS)}
WHERE goal_id = :goal_id
""")
# Two goals that are activated at once must see each other, or both become the quota of the same days.
_ONE_BY_ONE = text("SELECT pg_advisory_xact_lock(hashtextextended('metrics.goals ' || :territory_id, 0))")
_OUT_OF_DANGER = text("UPDATE goals SET at_risk = false WHERE goal_id = :goal_id")
_REMEMBER = text("UPDATE goals SET history = CAST(:history AS numeric[]) WHERE goal_id = :goal_id")


async def draft_goal(command: DraftGoal, uow: UnitOfWork) -> CheckedGoal:
    """Keep a draft. Raises NotFound for a territory or parent out of scope."""
    goal = Goal(new_id(), command.terms, GoalState.DRAFT, 1)
    findings = await _check(goal, command.scope, uow)
    await uow.connection.execute(_ADD, {**_columns(goal), "now": uow.now, "actor": uow.actor})
    return CheckedGoal(await find_goal(uow.connection, goal.goal_id, scope=command.scope), findings)


async def change_goal(command: ChangeGoal, uow: UnitOfWork) -> CheckedGoal:
    """Replace a draft's terms. Raises NotFound, VersionMismatch or GoalNotDraft."""
    goal = await _take(command.goal_id, command.expected_version, command.scope, uow)
    changed = goal.change(command.terms)
    findings = await _check(changed, command.scope, uow)
    return CheckedGoal(await _save(changed, command.scope, uow), findings)


async def activate_goal(command: ActivateGoal, uow: UnitOfWork) -> CheckedGoal:
    """Activate a draft. Raises NotFound, VersionMismatch, GoalNotDraft or GoalNotSmart."""
    goal = await _take(command.goal_id, command.expected_version, command.scope, uow)
    await uow.connection.execute(_ONE_BY_ONE, {"territory_id": str(goal.terms.territory_id)})
    around = await find_surroundings(
        uow.connection, goal.goal_id, goal.terms, today=uow.now.date(), scope=command.scope
    )
    findings = check(goal.terms, around)
    active = goal.activate(findings)
    history = {"goal_id": goal.goal_id, "history": list(around.history)}
    await uow.connection.execute(_REMEMBER, history)
    return CheckedGoal(await _save(active, command.scope, uow), findings)


async def cancel_goal(command: CancelGoal, uow: UnitOfWork) -> CheckedGoal:
    """Cancel a goal; it is in no danger any more. Raises NotFound, VersionMismatch or GoalClosed."""
    goal = await _take(command.goal_id, command.expected_version, command.scope, uow)
    await uow.connection.execute(_OUT_OF_DANGER, {"goal_id": goal.goal_id})
    if goal.state is GoalState.ACTIVE:
        uow.outbox.add(GoalCancelled(**about(goal), cancelled_at=uow.now))
    return CheckedGoal(await _save(goal.cancel(), command.scope, uow), [])


async def save_goal(goal: Goal, uow: UnitOfWork) -> None:
    """Write a goal's state and terms."""
    await uow.connection.execute(_SAVE, _columns(goal))


def about(goal: Goal) -> dict[str, Any]:
    """Return what every event of a goal says."""
    return {
        "goal_id": goal.goal_id,
        **{name: getattr(goal.terms, name) for name in ("territory_id", "metric_id", "currency")},
    }


async def _check(goal: Goal, scope: Scope, uow: UnitOfWork) -> list[Finding]:
    await require_territory(uow.connection, goal.terms.territory_id, scope)
    around = await find_surroundings(
        uow.connection, goal.goal_id, goal.terms, today=uow.now.date(), scope=scope
    )
    return check(goal.terms, around)


async def _take(goal_id: UUID, expected_version: int | None, scope: Scope, uow: UnitOfWork) -> Goal:
    goal = (await find_goal(uow.connection, goal_id, scope=scope, lock=True)).goal
    if expected_version not in {None, goal.version}:
        raise VersionMismatch(f"If-Match: the goal is at version {goal.version}; read it again.")
    return goal


async def _save(goal: Goal, scope: Scope, uow: UnitOfWork) -> GoalFound:
    await save_goal(goal, uow)
    return await find_goal(uow.connection, goal.goal_id, scope=scope)


def _columns(goal: Goal) -> dict[str, object]:
    return {
        "goal_id": goal.goal_id,
        "state": goal.state,
        "version": goal.version,
        **asdict(goal.terms),
    }
