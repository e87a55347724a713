"""Why an account belongs where it does: matching once more, with every comparison told and every loser.

What a rule says is found by the tests that matching compiles, and what the rules that are met say together
by the function that matching decides with. Pure; the caller brings the account as it was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.assignment.rules.condition import INDEX, AllOf, Comparison, Condition
from services.assignment.rules.evaluation import Values, compile_condition
from services.assignment.rules.matcher import NO_MATCH, Match, Reason, decide
from services.assignment.rules.rule import Rule

NEAR_MISSES = 5


class Lost(StrEnum):
    """Why a rule did not decide."""

    PIN = "pin"
    DESIGN = "design"
    TIE = "tie"
    SAME_POSITION = "same_position"
    LATER_POSITION = "later_position"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class CheckedComparison:
    """One comparison of a condition, where it stands in it, the account's value and what came of it."""

    pointer: str
    comparison: Comparison
    actual: Any
    held: bool


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """A rule tried on an account."""

    rule: Rule
    held: bool
    comparisons: tuple[CheckedComparison, ...]

    @property
    def nearness(self) -> float:
        """Return the share of comparisons that held."""
        return sum(one.held for one in self.comparisons) / len(self.comparisons)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that could have decided, and why it did not."""

    trace: RuleTrace
    lost: Lost


@dataclass(frozen=True, slots=True)
class Explanation:
    """What matching says of an account, the rule that decided, and the candidates in the order of rules.

    `by_rules` is what the rules alone say: the same, unless a pin or a placement came before them.
    """

    match: Match
    by_rules: Match
    winner: RuleTrace | None
    candidates: tuple[Candidate, ...]


def explain(rules: Iterable[Rule], values: Values, settled: Match | None = None) -> Explanation:
    """Match an account with these values, held or placed perhaps, and tell how it came about.

    Candidates are all other rules that are met, and of those before the decision that are not, the few that
    came nearest.
    """
    ordered = sorted(rules, key=lambda rule: (rule.position, rule.rule_id))
    met = [rule for rule in ordered if compile_condition(rule.condition)(values)]
    first = [rule for rule in met if rule.position == met[0].position]
    by_rules = decide(first) if first else NO_MATCH
    match = settled or by_rules
    candidates = [
        Candidate(trace_rule(rule, values), _why(rule, first, match))
        for rule in met
        if rule.rule_id != match.rule_id
    ]
    candidates += _near_misses(ordered, met, values)
    candidates.sort(key=lambda one: (one.trace.rule.position, one.trace.rule.rule_id))
    winner = None if match.rule_id is None else trace_rule(first[0], values)
    return Explanation(match, by_rules, winner, tuple(candidates))


def trace_rule(rule: Rule, values: Values) -> RuleTrace:
    """Try a rule on an account and tell what each of its comparisons said."""
    checked = tuple(
        CheckedComparison(
            pointer, comparison, values[INDEX[comparison.field]], compile_condition(comparison)(values)
        )
        for pointer, comparison in _comparisons(rule.condition, "")
    )
    return RuleTrace(rule, compile_condition(rule.condition)(values), checked)


def _comparisons(condition: Condition, pointer: str) -> Iterator[tuple[str, Comparison]]:
    if isinstance(condition, Comparison):
        yield pointer, condition
        return
    joined = "all" if isinstance(condition, AllOf) else "any"
    for index, part in enumerate(condition.conditions):
        yield from _comparisons(part, f"{pointer}/{joined}/{index}")


def _why(rule: Rule, first: Sequence[Rule], match: Match) -> Lost:
    if match.cause != "rule":
        return Lost(match.cause)
    if rule.position > first[0].position:
        return Lost.LATER_POSITION
    return Lost.TIE if match.reason is Reason.TIE else Lost.SAME_POSITION


def _near_misses(ordered: Sequence[Rule], met: Sequence[Rule], values: Values) -> list[Candidate]:
    known = {rule.rule_id for rule in met}
    missed = (
        trace_rule(rule, values)
        for rule in ordered
        if rule.rule_id not in known and (not met or rule.position <= met[0].position)
    )
    nearest = sorted(missed, key=lambda trace: -trace.nearness)[:NEAR_MISSES]
    return [Candidate(trace, Lost.CONDITION) for trace in nearest]
