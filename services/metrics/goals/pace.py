"""How far a goal should be by now, how far it is, and where it is heading. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal
from statistics import fmean, stdev

from services.metrics.goals.terms import GoalTerms, Pacing

# Between the two nothing changes, so that a goal at the edge does not call every day.
AT_RISK_BELOW, RECOVERED_FROM = Decimal("0.85"), Decimal("0.95")
TOO_EARLY = Decimal("0.1")
# From the middle of a normal distribution to its 10th and 90th percentile.
_TENTH = Decimal("1.2816")
_ENOUGH = 3
_PLACES = Decimal("0.000001")
_WORKING = 5
# Room for the largest sums over the smallest amounts due.
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The value to expect at the end; in 8 of 10 cases from `low` to `high`, null where too little is known."""

    low: Decimal | None
    expected: Decimal
    high: Decimal | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a goal stands on a day; `on_course` when the value is where it is due, or beyond."""

    value: Decimal | None
    on_course: bool
    elapsed: Decimal
    due: Decimal
    pace: Decimal | None
    progress: Decimal | None
    required_per_day: Decimal | None
    forecast: Forecast | None


def days_of(first_day: date, end_day: date, pacing: Pacing) -> int:
    """Return how many days count: all of them, or Monday to Friday."""
    days = max((end_day - first_day).days, 0)
    if pacing == "linear":
        return days
    weeks, rest = divmod(days, 7)
    return weeks * _WORKING + sum((first_day + timedelta(days=n)).weekday() < _WORKING for n in range(rest))


def elapsed_share(terms: GoalTerms, today: date) -> Decimal:
    """Return which part of the goal's days is over; today is not."""
    until = min(max(today, terms.first_day), terms.end_day)
    total = days_of(terms.first_day, terms.end_day, terms.pacing)
    return Decimal(days_of(terms.first_day, until, terms.pacing)) / total if total else Decimal(1)


def progress_of(
    terms: GoalTerms, value: Decimal | None, history: Sequence[Decimal], *, today: date
) -> Progress:
    """Return how a goal does. What adds up starts from nothing; a level, such as a rate, from its baseline."""
    elapsed = elapsed_share(terms, today)
    start = Decimal(0) if terms.adds_up else terms.baseline
    due = terms.target if start is None else start + (terms.target - start) * elapsed
    whole = None if start is None else terms.target - start
    return Progress(
        value=value,
        on_course=terms.is_met(value, due),
        elapsed=_rounded(elapsed),
        due=_rounded(due),
        pace=_pace(terms, value, due),
        progress=_rounded((value - (start or 0)) / whole) if whole and value is not None else None,
        required_per_day=_required(terms, value, today),
        forecast=None if value is None else _forecast(terms, value, history, elapsed),
    )


def is_at_risk(progress: Progress, *, before: bool) -> bool:
    """Tell whether the goal is in danger; it takes more to recover than not to fall."""
    if progress.elapsed < TOO_EARLY or progress.on_course:
        return False
    if progress.pace is None:
        return before
    return progress.pace < (RECOVERED_FROM if before else AT_RISK_BELOW)


def _pace(terms: GoalTerms, value: Decimal | None, due: Decimal) -> Decimal | None:
    if value is None:
        return None
    above, below = (value, due) if terms.direction == "up" else (due, value)
    return _rounded(above / below) if below > 0 else None


def _required(terms: GoalTerms, value: Decimal | None, today: date) -> Decimal | None:
    left = days_of(max(today, terms.first_day), terms.end_day, terms.pacing)
    if value is None or not left or not terms.adds_up:
        return None
    return _rounded((terms.target - value) / left)


def _forecast(
    terms: GoalTerms, value: Decimal, history: Sequence[Decimal], elapsed: Decimal
) -> Forecast | None:
    """Blend the goal's own rate with the rest of an average period before, the rate counting more and more."""
    values = [float(one) for one in history]
    if not terms.adds_up:
        expected = value
    elif values:
        usual_rest = Decimal(fmean(values)) * (1 - elapsed)
        expected = value + value * (1 - elapsed) + (1 - elapsed) * usual_rest
    elif elapsed:
        expected = value / elapsed
    else:
        return None
    if len(values) < _ENOUGH:
        return Forecast(None, _rounded(expected), None)
    spread = _TENTH * Decimal(stdev(values)) * (1 - elapsed).sqrt()
    return Forecast(_rounded(expected - spread), _rounded(expected), _rounded(expected + spread))


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(_PLACES, context=_WIDE)
