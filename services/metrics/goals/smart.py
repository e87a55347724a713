"""Whether a goal is specific, measurable, achievable, relevant and bound in time: findings, letter by letter. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from statistics import NormalDist, fmean, stdev
from typing import Any, Literal
from uuid import UUID

from services.metrics.goals.pace import days_of
from services.metrics.goals.state import GoalState
from services.metrics.goals.terms import GoalTerms
from shared.contracts.money import NOT_MONEY, fits_minor_units

Letter = Literal["S", "M", "A", "R", "T"]
Severity = Literal["fail", "warn"]

ENOUGH_HISTORY = 3
# A team that has missed nine times of ten will not be steered by a tenth; one that cannot fail, neither.
_HOPELESS, _BOLD, _CERTAIN = 0.10, 0.25, 0.95
_TWO_CHECK_INS = 14
_FEEDS = {
    "revenue": {"orders", "won", "leads", "pipeline", "conversion", "win-rate", "new-customers", "bookings"},
    "net-revenue": {"revenue", "refunds"},
    "bookings": {"won", "deals", "pipeline", "win-rate", "leads"},
    "orders": {"leads", "conversion", "new-customers"},
    "won": {"leads", "win-rate", "pipeline"},
    "new-customers": {"leads", "conversion"},
    "cac": {"spend", "new-customers", "conversion", "paid-cac"},
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a field of a goal and how to mend it; a warning does not stop it."""

    letter: Letter
    field: str
    code: str
    severity: Severity
    fix: str

    def told(self) -> dict[str, Any]:
        """Return it as answers carry it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a goal is judged by: the day, the values of the periods before, the oldest first, and other goals.

    `rival` is another goal whose target is the quota of the territory on some of the days.
    """

    today: date
    history: Sequence[Decimal] = ()
    parent: GoalTerms | None = None
    parent_state: GoalState = GoalState.ACTIVE
    is_own_ancestor: bool = False
    rival: UUID | None = None


def check(terms: GoalTerms, around: Surroundings) -> list[Finding]:
    """Return the findings in the order of the letters."""
    checks = (_specific, _measurable, _achievable, _relevant, _timely)
    return [finding for one in checks for finding in one(terms, around)]


def failures(findings: Sequence[Finding]) -> list[Finding]:
    """Return those that must be mended."""
    return [finding for finding in findings if finding.severity == "fail"]


def _specific(terms: GoalTerms, around: Surroundings) -> Iterator[Finding]:
    definition = terms.definition
    if definition is None:
        yield Finding("S", "metric_id", "unknown-metric", "fail", "choose one of GET /v1/metric-definitions")
    elif definition.by_currency and terms.currency is None:
        yield Finding("S", "currency", "no-currency", "fail", "say in which currency: money is never mixed")
    elif not definition.by_currency and terms.currency is not None:
        yield Finding(
            "S", "currency", "needless-currency", "fail", "leave it out: the metric carries no money"
        )
    elif terms.currency in NOT_MONEY:
        yield Finding("S", "currency", "no-money", "fail", f"{terms.currency} means no currency: name one")
    if around.rival is not None:
        fix = (
            f"goal {around.rival} is the quota of these days already: make one the other's parent, cancel it, "
            "take other days, or call this one a stretch"
        )
        yield Finding("S", "territory_id", "second-quota", "fail", fix)
    if terms.owner is None:
        yield Finding("S", "owner", "no-owner", "fail", "name the one person who answers for it")


def _measurable(terms: GoalTerms, around: Surroundings) -> Iterator[Finding]:
    definition = terms.definition
    if definition is None:
        return
    if definition.unit == "ratio" and terms.metric_id != "attainment" and not 0 <= terms.target <= 1:
        yield Finding("M", "target", "no-such-ratio", "fail", "a ratio lies from 0 to 1: 0.25 is 25 %")
    if terms.currency and definition.unit == "money" and not fits_minor_units(terms.target, terms.currency):
        yield Finding(
            "M", "target", "too-fine", "fail", f"{terms.currency} has no such small amounts: round it"
        )
    if definition.unit == "count" and terms.target != terms.target.to_integral_value():
        yield Finding("M", "target", "no-whole-number", "fail", "set a whole number: the metric counts")
    yield from _moving(terms)
    if len(around.history) < ENOUGH_HISTORY:
        fix = f"there are values of {len(around.history)} periods before, not {ENOUGH_HISTORY}: watch it closely"
        yield Finding("M", "metric_id", "little-history", "warn", fix)


def _moving(terms: GoalTerms) -> Iterator[Finding]:
    baseline = terms.baseline
    if baseline is None and not terms.adds_up:
        yield Finding("M", "baseline", "no-baseline", "fail", "say where the metric stands now")
    if baseline is not None and (terms.target - baseline) * (1 if terms.direction == "up" else -1) <= 0:
        yield Finding(
            "M", "target", "no-change", "fail", f"set it {terms.direction} from the baseline {baseline}"
        )
    elif terms.adds_up and terms.direction == "up" and terms.target <= 0:
        fix = "set it above 0: the metric starts from nothing, so this is met before it begins"
        yield Finding("M", "target", "no-change", "fail", fix)


def _achievable(terms: GoalTerms, around: Surroundings) -> Iterator[Finding]:
    chance = chance_of(terms, around.history)
    if chance is None:
        return
    told = f"by the {len(around.history)} periods before, the chance is {chance:.0%}"
    usual = fmean(float(value) for value in around.history)
    if chance < _HOPELESS:
        severity: Severity = "warn" if terms.stretch else "fail"
        fix = f"{told}: aim nearer to the usual {usual:.6g}, or call it a stretch"
        yield Finding("A", "target", "out-of-reach", severity, fix)
    elif chance < _BOLD:
        yield Finding("A", "target", "bold", "warn", f"{told}: plan what will be done differently")
    elif chance > _CERTAIN:
        yield Finding("A", "target", "reached-anyway", "warn", f"{told}: aim beyond the usual {usual:.6g}")


def chance_of(terms: GoalTerms, history: Sequence[Decimal]) -> float | None:
    """Return how likely the target is if the period is like those before; None if too few are known."""
    if len(history) < ENOUGH_HISTORY:
        return None
    values = [float(value) for value in history]
    # Three alike periods do not make the next one certain.
    spread = max(stdev(values), abs(fmean(values)) * 0.05)
    if not spread:
        return None
    below = NormalDist(fmean(values), spread).cdf(float(terms.target))
    return 1 - below if terms.direction == "up" else below


def _relevant(terms: GoalTerms, around: Surroundings) -> Iterator[Finding]:
    parent = around.parent
    if parent is None:
        if terms.objective is None:
            yield Finding("R", "objective", "no-purpose", "fail", "say what it serves, or name a parent goal")
        return
    if around.is_own_ancestor:
        fix = "name a goal that is not this one, nor part of it"
        yield Finding("R", "parent_goal_id", "own-parent", "fail", fix)
        return
    if around.parent_state is not GoalState.ACTIVE:
        severity: Severity = "warn" if around.parent_state is GoalState.DRAFT else "fail"
        fix = f"the parent is {around.parent_state}: name one that is active, or say what it serves instead"
        yield Finding("R", "parent_goal_id", "parent-not-running", severity, fix)
    if terms.metric_id != parent.metric_id and terms.metric_id not in _FEEDS.get(parent.metric_id, set()):
        fix = f"choose a metric that drives the parent's {parent.metric_id}, or another parent"
        yield Finding("R", "parent_goal_id", "unrelated-parent", "fail", fix)
    if terms.metric_id == parent.metric_id:
        yield from _of_one_measure(terms, parent)
    if terms.first_day < parent.first_day or terms.end_day > parent.end_day:
        fix = f"stay within the parent's {parent.first_day} to {parent.end_day}"
        yield Finding("R", "first_day", "outside-parent", "fail", fix)


def _of_one_measure(terms: GoalTerms, parent: GoalTerms) -> Iterator[Finding]:
    for field in ("currency", "view"):
        if (theirs := getattr(parent, field)) != getattr(terms, field):
            fix = f"take the parent's {theirs}, or another parent: the one does not count in the other"
            yield Finding("R", field, f"other-{field}", "fail", fix)


def _timely(terms: GoalTerms, around: Surroundings) -> Iterator[Finding]:
    if terms.end_day <= terms.first_day:
        yield Finding("T", "end_day", "ends-before-it-begins", "fail", "set it after first_day")
        return
    if terms.end_day <= around.today:
        yield Finding("T", "end_day", "over-already", "fail", f"set it after today, {around.today}")
    if days_of(terms.first_day, terms.end_day, terms.pacing) == 0:
        yield Finding(
            "T", "pacing", "no-working-day", "fail", "take a period with working days, or pace it linear"
        )
    if (terms.end_day - terms.first_day).days < _TWO_CHECK_INS:
        fix = "take two weeks at least: a shorter one is over before anything can be changed"
        yield Finding("T", "end_day", "too-short", "warn", fix)
