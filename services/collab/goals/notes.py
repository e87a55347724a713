"""What is written on a territory when a goal of it falls behind. Pure."""

from decimal import Decimal

from shared.contracts.metrics import GoalAtRisk


def describe(goal: GoalAtRisk) -> str:
    """Return the text of the note: where the goal stands, where it should, and where it is heading."""
    unit = f" {goal.currency}" if goal.currency else ""
    stands = "nothing to measure yet" if goal.value is None else f"{_shown(goal.value)}{unit}"
    wanted = f"{goal.metric_id} of {_shown(goal.target)}{unit} by {goal.end_day.isoformat()}"
    lines = [
        f"A goal is at risk: {wanted} (goal {goal.goal_id}).",
        f"It stands at {stands}; {_shown(goal.due)}{unit} is due by now.",
    ]
    if goal.forecast is not None:
        band = ""
        if goal.forecast_low is not None and goal.forecast_high is not None:
            band = f", in 8 of 10 cases from {_shown(goal.forecast_low)} to {_shown(goal.forecast_high)}"
        lines.append(f"At this pace it ends at {_shown(goal.forecast)}{unit}{band}.")
    lines.append("What will you do differently?")
    return "\n".join(lines)


def _shown(number: Decimal) -> str:
    """Write a number without the zeros that nobody needs."""
    rounded = number.quantize(Decimal("0.01")) if abs(number) >= 1 else number.normalize()
    return f"{rounded:,f}".removesuffix(".00")
