"""What is written on a goal: that it falls behind, that it is back on its pace, how it ended or was given up. Pure."""

import hashlib
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from shared.contracts.metrics import GoalAtRisk, GoalCancelled, GoalRecovered, GoalSettled
from shared.uuid7 import uuid7_of

GoalNews = GoalAtRisk | GoalRecovered | GoalSettled | GoalCancelled


def note_id_of(news: GoalNews) -> UUID:
    """Return the id of the note that tells it: the same one whenever the event is read, in the order of time."""
    bits = int.from_bytes(hashlib.sha256(f"{news.TYPE} {news.goal_id}".encode()).digest()[:10]) >> 6
    return uuid7_of(int(_told_at(news).timestamp() * 1000), bits)


def describe(news: GoalNews, *, again: bool) -> str:
    """Return the text of the note; `again` when the goal was at risk before."""
    match news:
        case GoalAtRisk():
            return _danger(news, again=again)
        case GoalRecovered():
            return f"The goal is back on its pace. {_standing(news)}"
        case GoalCancelled():
            return f"The goal was given up ({news.metric_id})."
        case GoalSettled():
            reached = "nothing to measure" if news.value is None else _amount(news, news.value)
            return (
                f"The goal was {news.outcome}: {reached} of {_amount(news, news.target)} ({news.metric_id})."
            )


def _danger(goal: GoalAtRisk, *, again: bool) -> str:
    wanted = f"{goal.metric_id} of {_amount(goal, goal.target)} by {goal.end_day.isoformat()}"
    lines = [f"The goal is at risk{' again' if again else ''}: {wanted}.", _standing(goal)]
    if goal.forecast is not None:
        band = ""
        if goal.forecast_low is not None and goal.forecast_high is not None:
            band = f", in 8 of 10 cases from {_shown(goal.forecast_low)} to {_shown(goal.forecast_high)}"
        lines.append(f"At this pace it ends at {_amount(goal, goal.forecast)}{band}.")
    lines.append("What will you do differently?")
    return "\n".join(lines)


def _standing(goal: GoalAtRisk | GoalRecovered) -> str:
    stands = "nothing to measure yet" if goal.value is None else _amount(goal, goal.value)
    return f"It stands at {stands}; {_amount(goal, goal.value_due)} is due by now."


def _told_at(news: GoalNews) -> datetime:
    match news:
        case GoalSettled():
            return news.settled_at
        case GoalCancelled():
            return news.cancelled_at
        case _:
            return news.noticed_at


def _amount(news: GoalNews, number: Decimal) -> str:
    return f"{_shown(number)} {news.currency}" if news.currency else _shown(number)


def _shown(number: Decimal) -> str:
    """Write a number without the zeros that nobody needs."""
    rounded = number.quantize(Decimal("0.01")) if abs(number) >= 1 else number.normalize()
    return f"{rounded:,f}".removesuffix(".00")
