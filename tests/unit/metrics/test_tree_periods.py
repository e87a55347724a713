from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.metrics.attribution.tree import lines_of
from services.metrics.attribution.tree_periods import (
    BEGINNING,
    END,
    TreeActivation,
    TreePeriod,
    periods_of,
    shifts_between,
)
from shared.contracts.identity import ORGANISATION

T0 = datetime(2026, 1, 1, tzinfo=UTC)
A, B, C = (UUID(int=n) for n in (10, 11, 12))

activations = st.lists(
    st.builds(
        TreeActivation,
        sequence=st.integers(1, 50),
        tree_id=st.sampled_from([A, B, C]),
        effective_at=st.integers(0, 20).map(lambda hours: T0 + timedelta(hours=hours)),
    ),
    unique_by=lambda activation: activation.sequence,
    max_size=8,
)


def ruling(some, moment):
    """Return the tree by the definition: the highest sequence in effect rules."""
    in_effect = [a for a in some if a.effective_at <= moment]
    return max(in_effect, key=lambda a: a.sequence).tree_id if in_effect else None


def tree_at(periods, moment):
    """Return the tree of the one period that holds the moment."""
    found = [p.tree_id for p in periods if p.valid_from <= moment < p.valid_to]
    assert len(found) <= 1
    return found[0] if found else None


@given(activations, st.randoms())
def test_periods_follow_from_the_set_of_activations(some, rng):
    periods = periods_of(some)
    for hour in range(-1, 22):
        assert tree_at(periods, T0 + timedelta(hours=hour)) == ruling(some, T0 + timedelta(hours=hour))
    rng.shuffle(some)
    assert periods_of(some) == periods


@given(activations, activations)
def test_shifts_are_exactly_where_the_tree_differs(before, after):
    shifts = shifts_between(periods_of(before), periods_of(after))
    for hour in range(-1, 22):
        moment = T0 + timedelta(hours=hour)
        found = [(s.from_tree, s.to_tree) for s in shifts if s.valid_from <= moment < s.valid_to]
        old, new = ruling(before, moment), ruling(after, moment)
        assert found == ([(old, new)] if old != new else [])


def test_equal_trees_in_a_row_are_one_period():
    later = T0 + timedelta(days=1)
    same = [TreeActivation(1, A, T0), TreeActivation(2, A, later)]
    assert periods_of(same) == [TreePeriod(T0, END, A)]
    assert shifts_between(periods_of(same[:1]), periods_of(same)) == []
    assert shifts_between([], periods_of(same))[0].valid_from > BEGINNING


def test_a_line_goes_from_the_territory_to_the_organisation():
    assert lines_of({A: B, B: C, C: None})[A] == [A, B, C, ORGANISATION]


def test_a_line_ends_at_an_unknown_parent_and_at_a_cycle():
    assert lines_of({A: B})[A] == [A, ORGANISATION]
    assert lines_of({A: B, B: A})[A] == [A, B, ORGANISATION]
