"""Trees: what forms one, and who lies under whom."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.territories.refusals import InvalidTree
from services.assignment.territories.tree import (
    MAX_DEPTH,
    MAX_TERRITORIES,
    Territory,
    TerritoryKind,
    plant_tree,
)
from shared.contracts.identity import ORGANISATION, UNASSIGNED


def _node(number: int, parent: int | None = None, name: str | None = None) -> Territory:
    return Territory(
        UUID(int=number + 1),
        None if parent is None else UUID(int=parent + 1),
        name or f"T{number}",
        TerritoryKind.GEOGRAPHIC,
    )


@given(st.lists(st.integers(0, 30), max_size=30), st.randoms(use_true_random=False))
def test_the_closure_holds_every_ancestor_at_its_depth(parents: list[int], random: object) -> None:
    """Every later territory hangs under an earlier one, so that any list of numbers is a tree."""
    nodes = [_node(0)]
    depth = {0: 0}
    for number, choice in enumerate(parents, start=1):
        parent = choice % number
        if depth[parent] + 1 >= MAX_DEPTH:
            parent = 0
        depth[number] = depth[parent] + 1
        nodes.append(_node(number, parent))
    tree = plant_tree(nodes)
    closure = list(tree.closure())
    assert len(closure) == len(set(closure)) == sum(level + 1 for level in depth.values())
    for ancestor, territory, distance in closure:
        above = territory
        for _ in range(distance):
            parent = tree.find(above).parent_id  # type: ignore[union-attr]
            assert parent is not None
            above = parent
        assert above == ancestor


def test_equal_shapes_have_equal_ids_whatever_their_names() -> None:
    one = plant_tree([_node(0), _node(1, 0)])
    other = plant_tree([_node(1, 0, "Elsewhere"), _node(0)])
    assert one.tree_id == other.tree_id
    assert one.tree_id != plant_tree([_node(0), _node(1)]).tree_id


@pytest.mark.parametrize(
    ("nodes", "pointers"),
    [
        ([_node(0), _node(0, name="other")], ["/territories/0/territory_id", "/territories/1/territory_id"]),
        ([_node(0, name="A"), _node(1, name="A")], ["/territories/0/name", "/territories/1/name"]),
        ([_node(0, 7)], ["/territories/0/parent_id"]),
        ([_node(0, 0)], ["/territories/0/parent_id"]),
        ([_node(0, 1), _node(1, 0), _node(2)], ["/territories/0/parent_id", "/territories/1/parent_id"]),
    ],
)
def test_what_is_no_tree_is_refused_with_every_place(nodes: list[Territory], pointers: list[str]) -> None:
    with pytest.raises(InvalidTree) as refused:
        plant_tree(nodes)
    assert [error["pointer"] for error in refused.value.extensions["errors"]] == pointers


def test_reserved_ids_depth_and_size_are_limited() -> None:
    for reserved in (UNASSIGNED, ORGANISATION):
        with pytest.raises(InvalidTree, match="reserved"):
            plant_tree([Territory(reserved, None, "x", TerritoryKind.OVERLAY)])
    chain = [_node(0), *(_node(number, number - 1) for number in range(1, MAX_DEPTH))]
    plant_tree(chain)
    with pytest.raises(InvalidTree, match="levels"):
        plant_tree([*chain, _node(MAX_DEPTH, MAX_DEPTH - 1)])
    with pytest.raises(InvalidTree, match="at most"):
        plant_tree([_node(number) for number in range(MAX_TERRITORIES + 1)])


def test_changing_one_territory_checks_the_whole() -> None:
    tree = plant_tree([_node(0), _node(1, 0), _node(2, 1)])
    moved = tree.with_territory(_node(2, 0))
    assert moved.find(UUID(int=3)) == _node(2, 0)
    with pytest.raises(InvalidTree, match="under itself"):
        tree.with_territory(_node(1, 2))


@pytest.mark.parametrize(
    ("node", "pointers"),
    [
        (_node(2 * MAX_DEPTH, 0, "T1"), ["/name"]),
        (_node(1, 99), ["/parent_id"]),
        (_node(1, 5, "T6"), ["/name", "/parent_id"]),
        (_node(2 * MAX_DEPTH, MAX_DEPTH - 1), ["/parent_id"]),
    ],
)
def test_one_territory_is_refused_in_its_own_terms(node: Territory, pointers: list[str]) -> None:
    """Names and places of other territories are not the caller's to learn."""
    chain = [_node(0), *(_node(number, number - 1) for number in range(1, MAX_DEPTH))]
    tree = plant_tree(chain)
    with pytest.raises(InvalidTree) as refused:
        tree.with_territory(node)
    assert [error["pointer"] for error in refused.value.extensions["errors"]] == pointers


def test_what_lies_under_a_moved_territory_counts_for_the_depth() -> None:
    chain = [_node(0), *(_node(number, number - 1) for number in range(1, MAX_DEPTH))]
    tree = plant_tree([*chain, _node(50), _node(51, 50)])
    with pytest.raises(InvalidTree) as refused:
        tree.with_territory(_node(50, MAX_DEPTH - 2))
    assert [error["pointer"] for error in refused.value.extensions["errors"]] == ["/parent_id"]


def test_a_name_may_be_used_again_under_another_parent() -> None:
    nodes = [_node(0), _node(1, 0), _node(2, 0), _node(3, 1, "City"), _node(4, 2, "City")]
    assert plant_tree(nodes).territories == tuple(nodes)
    with pytest.raises(InvalidTree, match="taken under this parent"):
        plant_tree(nodes).with_territory(_node(4, 1, "City"))
