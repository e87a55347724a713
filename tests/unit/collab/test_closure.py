from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.collab.projections.closure import Below, BrokenTree, closure_of

A, B, C = (UUID(int=n) for n in (1, 2, 3))


def test_the_closure_holds_every_territory_under_itself_and_its_ancestors():
    assert set(closure_of([(A, None), (B, A), (C, B)])) == {
        Below(A, A, 0),
        Below(B, B, 0),
        Below(C, C, 0),
        Below(A, B, 1),
        Below(B, C, 1),
        Below(A, C, 2),
    }


@pytest.mark.parametrize(
    "broken", [[(A, B), (B, A)], [(A, A)], [(A, B)], [(A, None), (A, None)], [(A, None), (B, C), (C, B)]]
)
def test_what_is_no_forest_is_refused(broken):
    """A cycle from the wire must end as a dead letter, not as an endless loop."""
    with pytest.raises(BrokenTree):
        closure_of(broken)


@given(st.lists(st.integers(0, 30), max_size=30))
def test_every_forest_has_a_closure(choices: list[int]):
    """Each node's parent is an earlier node, or none."""
    parents = [(UUID(int=n + 1), UUID(int=p % n + 1) if n and p else None) for n, p in enumerate(choices)]
    closure = closure_of(parents)
    assert {below.territory_id for below in closure if below.depth == 0} == {node for node, _ in parents}
    assert {(below.territory_id, below.ancestor_id) for below in closure if below.depth == 1} == {
        (node, parent) for node, parent in parents if parent is not None
    }
