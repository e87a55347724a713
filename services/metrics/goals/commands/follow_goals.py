"""Following active goals: in danger or out of it, achieved or missed, each told once."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from services.metrics.goals.commands.keep_goal import about, save_goal
from services.metrics.goals.goal import Goal
from services.metrics.goals.pace import Progress, is_at_risk, progress_of
from services.metrics.goals.queries import COLUMNS, GoalFound, goal_of
from services.metrics.goals.state import GoalState
from services.metrics.goals.values import read_value
from shared.contracts.metrics import GoalAtRisk, GoalRecovered, GoalSettled
from shared.db.unit_of_work import UnitOfWork

# The one that was looked at longest ago; another worker takes another one.
_NEXT = text(f"""
SELECT {COLUMNS} FROM goals g
WHERE state = 'active' AND (checked_at IS NULL OR checked_at <= :due)
ORDER BY checked_at NULLS FIRST, goal_id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED
""")
_LOOKED = text("UPDATE goals SET checked_at = :now, at_risk = :at_risk WHERE goal_id = :goal_id")
_SETTLED = text("""
UPDATE goals SET checked_at = :now, at_risk = false, settled_value = :value WHERE goal_id = :goal_id
""")


@dataclass(frozen=True, slots=True)
class FollowGoals:
    """Look at goals that nobody looked at for so long."""

    every: timedelta


async def follow_next_goal(command: FollowGoals, uow: UnitOfWork) -> bool:
    """Look at one goal; return whether there was one to look at."""
    row = (await uow.connection.execute(_NEXT, {"due": uow.now - command.every})).one_or_none()
    if row is None:
        return False
    found = goal_of(row)
    value = await read_value(uow.connection, found.goal.terms)
    if uow.now.date() >= found.goal.settles_on:
        await _settle(found.goal, value, uow)
    else:
        await _look(found, value, uow)
    return True


async def _settle(goal: Goal, value: Decimal | None, uow: UnitOfWork) -> None:
    settled = goal.settle(value, today=uow.now.date())
    await save_goal(settled, uow)
    await uow.connection.execute(_SETTLED, {"goal_id": goal.goal_id, "now": uow.now, "value": value})
    uow.outbox.add(
        GoalSettled(
            **about(goal),
            outcome="achieved" if settled.state is GoalState.ACHIEVED else "missed",
            target=goal.terms.target,
            value=value,
            settled_at=uow.now,
        )
    )


async def _look(found: GoalFound, value: Decimal | None, uow: UnitOfWork) -> None:
    goal = found.goal
    progress = progress_of(goal.terms, value, found.history, today=uow.now.date())
    at_risk = is_at_risk(progress, before=found.at_risk)
    await uow.connection.execute(_LOOKED, {"goal_id": goal.goal_id, "now": uow.now, "at_risk": at_risk})
    if at_risk != found.at_risk:
        uow.outbox.add(_danger(goal, progress, uow) if at_risk else _recovery(goal, progress, uow))


def _danger(goal: Goal, progress: Progress, uow: UnitOfWork) -> GoalAtRisk:
    forecast = progress.forecast
    return GoalAtRisk(
        **about(goal),
        target=goal.terms.target,
        value=progress.value,
        value_due=progress.due,
        pace=progress.pace,
        forecast=forecast and forecast.expected,
        forecast_low=forecast and forecast.low,
        forecast_high=forecast and forecast.high,
        end_day=goal.terms.end_day,
        noticed_at=uow.now,
    )


def _recovery(goal: Goal, progress: Progress, uow: UnitOfWork) -> GoalRecovered:
    return GoalRecovered(
        **about(goal),
        value=progress.value,
        value_due=progress.due,
        pace=progress.pace,
        noticed_at=uow.now,
    )
