"""Explanations agree with matching, and tell of every comparison and every loser."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.explanations.explanation import (
    NEAR_MISSES,
    Explanation,
    Lost,
    explain,
    trace_rule,
)
from services.assignment.rules.condition import FIELDS, AllOf, AnyOf, Comparison, Condition
from services.assignment.rules.matcher import Matcher, Reason
from services.assignment.rules.rule import Rule

EAST, WEST = UUID(int=1), UUID(int=2)


def _rule(number: int, condition: Condition, *, territory: UUID = EAST, position: int = 10) -> Rule:
    return Rule(UUID(int=number), f"rule {number}", territory, position, condition)


def _values(**account: object) -> list[object]:
    return [account.get(field) for field in FIELDS]


def _losers(explanation: Explanation) -> dict[int, Lost]:
    return {one.trace.rule.rule_id.int: one.lost for one in explanation.candidates}


IN_TEXAS = Comparison("state", "eq", "TX")
LARGE = Comparison("employees", "gte", 100)


def test_every_comparison_is_told_with_the_value_of_the_account() -> None:
    nested = AllOf((IN_TEXAS, AnyOf((LARGE, Comparison("industry", "is_missing", True)))))
    trace = trace_rule(_rule(1, nested), _values(state="TX", employees=99))
    assert trace.held
    assert [(one.pointer, one.actual, one.held) for one in trace.comparisons] == [
        ("/all/0", "TX", True),
        ("/all/1/any/0", 99, False),
        ("/all/1/any/1", None, True),
    ]


def test_losers_lose_by_order_by_tie_or_by_their_conditions() -> None:
    values = _values(state="TX", employees=500)
    before, decides, twin, after = (
        _rule(1, AllOf((IN_TEXAS, Comparison("employees", "lt", 10))), position=1),
        _rule(2, IN_TEXAS, position=5),
        _rule(3, LARGE, position=5),
        _rule(4, LARGE, territory=WEST, position=6),
    )
    explanation = explain([after, twin, decides, before], values)
    assert explanation.match.rule_id == decides.rule_id
    assert _losers(explanation) == {1: Lost.CONDITION, 3: Lost.SAME_POSITION, 4: Lost.LATER_POSITION}

    tied = explain([decides, _rule(9, LARGE, territory=WEST, position=5)], values)
    assert (tied.match.reason, tied.winner) == (Reason.TIE, None)
    assert _losers(tied) == {2: Lost.TIE, 9: Lost.TIE}


def test_a_gap_names_the_rules_that_came_nearest() -> None:
    far = [_rule(number, Comparison("county", "eq", "01001")) for number in range(1, 20)]
    near = _rule(99, AllOf((IN_TEXAS, Comparison("county", "eq", "01001"))), position=50)
    explanation = explain([*far, near], _values(state="TX"))
    assert explanation.match.reason is Reason.NO_MATCH
    assert len(explanation.candidates) == NEAR_MISSES
    assert _losers(explanation)[99] is Lost.CONDITION


_states = st.sampled_from(["TX", "CA", None])
_sizes = st.one_of(st.none(), st.integers(0, 4))
_leaves: st.SearchStrategy[Condition] = st.one_of(
    st.builds(Comparison, st.just("state"), st.sampled_from(["eq", "ne"]), st.sampled_from(["TX", "CA"])),
    st.builds(Comparison, st.just("employees"), st.sampled_from(["lt", "gte", "eq"]), st.integers(0, 4)),
    st.builds(Comparison, st.just("state"), st.just("is_missing"), st.booleans()),
)
_conditions = st.recursive(
    _leaves,
    lambda parts: st.one_of(
        st.builds(AllOf, st.lists(parts, min_size=1, max_size=3).map(tuple)),
        st.builds(AnyOf, st.lists(parts, min_size=1, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
_drawn = st.lists(st.tuples(_conditions, st.sampled_from([EAST, WEST]), st.integers(0, 3)), max_size=8)


@given(drawn=_drawn, state=_states, employees=_sizes)
def test_an_explanation_says_what_matching_says(
    drawn: list[tuple[Condition, UUID, int]], state: str | None, employees: int | None
) -> None:
    rules = [
        _rule(number, condition, territory=territory, position=position)
        for number, (condition, territory, position) in enumerate(drawn, start=1)
    ]
    values = _values(state=state, employees=employees)
    explanation = explain(rules, values)
    assert explanation.match == Matcher(rules).match(values)
    if explanation.winner is not None:
        assert explanation.winner.held
    for candidate in explanation.candidates:
        assert candidate.trace.held is (candidate.lost is not Lost.CONDITION)


def test_a_pin_comes_before_every_rule_and_the_rules_that_are_met_lose_to_it() -> None:
    rules = [_rule(1, IN_TEXAS), _rule(2, LARGE, position=20)]
    values = [*_values(state="TX", employees=500), account := UUID(int=7)]
    pinned = Matcher(rules, {account: WEST}).match(values)
    assert (pinned.territory_id, pinned.rule_id, pinned.cause) == (WEST, None, "pin")
    explanation = explain(rules, values, pinned)
    assert (explanation.match, explanation.winner) == (pinned, None)
    assert _losers(explanation) == {1: Lost.PIN, 2: Lost.PIN}
    assert explanation.by_rules == Matcher(rules).match(values)
    other = [*_values(state="TX"), UUID(int=8)]
    assert Matcher(rules, {account: WEST}).match(other) == Matcher(rules).match(other)


def test_a_placement_comes_before_every_rule_and_tells_what_they_would_have_said() -> None:
    rules = [_rule(1, IN_TEXAS), _rule(2, LARGE, position=20)]
    values = _values(state="TX", employees=500)
    placed = Matcher(rules, places=True).match([*values, UUID(int=7), WEST])
    assert (placed.territory_id, placed.rule_id, placed.cause) == (WEST, None, "design")
    explanation = explain(rules, values, placed)
    assert (explanation.match, explanation.winner) == (placed, None)
    assert explanation.by_rules == Matcher(rules).match(values)
    assert explanation.by_rules.rule_id == UUID(int=1)
    assert _losers(explanation) == {1: Lost.DESIGN, 2: Lost.DESIGN}
