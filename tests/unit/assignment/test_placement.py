"""Pairs that are to be placed: which are right, which are not and why."""

from collections import Counter
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.placements.placement import Pair, Rejection, count_held, sort_pairs

ids = st.integers(1, 6).map(lambda number: UUID(int=number))
pairs = st.lists(st.builds(Pair, ids, ids), max_size=20)
UNKNOWN, TERRITORIES = {UUID(int=5), UUID(int=6)}, {UUID(int=1), UUID(int=2), UUID(int=3)}


@given(pairs)
def test_every_pair_is_taken_or_told_and_an_account_is_taken_once(drawn: list[Pair]) -> None:
    found = sort_pairs(drawn, unknown_accounts=UNKNOWN, territories=TERRITORIES)
    assert Counter([*found.right, *(one.pair for one in found.wrong)]) == Counter(drawn)
    taken = [pair.account_id for pair in found.right]
    assert taken == sorted(set(taken))
    assert all(pair.account_id not in UNKNOWN and pair.territory_id in TERRITORIES for pair in found.right)
    for one in found.wrong:
        assert drawn[one.row - 1] == one.pair
        before = [pair for pair in drawn[: one.row - 1] if pair in found.right]
        assert (one.rejection is Rejection.NAMED_TWICE) == any(
            pair.account_id == one.pair.account_id for pair in before
        )


def test_the_first_right_pair_of_an_account_counts() -> None:
    account, known, other = UUID(int=1), UUID(int=2), UUID(int=3)
    wrong, right, again = Pair(account, UUID(int=9)), Pair(account, known), Pair(account, other)
    found = sort_pairs([wrong, right, again], unknown_accounts=(), territories={known, other})
    assert found.right == (right,)
    assert [(one.row, one.rejection) for one in found.wrong] == [
        (1, Rejection.UNKNOWN_TERRITORY),
        (3, Rejection.NAMED_TWICE),
    ]


def test_who_is_held_in_the_same_place_is_not_held_elsewhere() -> None:
    here, there = UUID(int=1), UUID(int=2)
    placed = [Pair(UUID(int=11), here), Pair(UUID(int=12), here), Pair(UUID(int=13), here)]
    assert count_held(placed, {UUID(int=11): here, UUID(int=12): there, UUID(int=99): there}) == 1
