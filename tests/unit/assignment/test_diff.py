"""The diff's sums: whatever moves where, what all gain is what all lose."""

from decimal import Decimal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.assignment.accounts.account import AccountMeasures
from services.assignment.alignments.diffs.diff import Sight, Tally
from services.assignment.alignments.realignment import find_changes
from services.assignment.rules.condition import FIELDS
from services.assignment.rules.condition_reader import read_stored
from services.assignment.rules.matcher import Matcher, Reason
from services.assignment.rules.rule import Rule

COUNTIES = [f"0000{number}" for number in range(5)]
MATCHER = Matcher(
    Rule(
        UUID(int=100 + n),
        "r",
        UUID(int=1 + n % 3),
        n,
        read_stored({"field": "county", "op": "eq", "value": c}),
    )
    for n, c in enumerate(COUNTIES[:4])
)
units = st.lists(
    st.tuples(
        st.sampled_from(COUNTIES),
        st.none() | st.integers(1, 4).map(lambda number: UUID(int=number)),
        st.integers(0, 10_000),
    ),
    max_size=40,
)


def _row(number: int, county: str, territory: UUID | None) -> tuple[object, ...]:
    fields = {"external_id": str(number), "county": county}
    return (
        *(fields.get(field) for field in FIELDS),
        UUID(int=number),
        None,
        territory,
        None,
        None,
        None,
        None,
    )


@given(units, st.integers(1, 7))
def test_gains_equal_losses_however_the_accounts_are_cut_into_chunks(
    drawn: list[tuple[str, UUID | None, int]], chunk: int
) -> None:
    rows = [_row(number, county, territory) for number, (county, territory, _) in enumerate(drawn)]
    money = {UUID(int=number): Decimal(cents) / 100 for number, (_, _, cents) in enumerate(drawn)}
    tally = Tally(Sight(everything=True))
    for start in range(0, len(rows), chunk):
        accounts, numbers = tally.count(MATCHER, rows[start : start + chunk])
        tally.measure(
            (number, AccountMeasures("EUR", money[account], Decimal(0)))
            for account, number in zip(accounts, numbers, strict=True)
        )
    places = tally.by_place().values()
    totals = tally.totals()
    gained = sum(place.accounts.gained for place in places)
    assert gained == sum(place.accounts.lost for place in places) == totals.accounts.gained
    assert gained == find_changes(MATCHER, rows).moved
    assert totals.accounts.gained + totals.accounts.kept == len(rows)
    whole = totals.revenue.get("EUR")
    assert (whole.gained + whole.kept if whole else 0) == sum(money.values())
    assert sum(p.revenue["EUR"].gained for p in places if p.revenue) == sum(
        p.revenue["EUR"].lost for p in places if p.revenue
    )


def test_a_limited_view_holds_the_accounts_that_are_there_now_and_no_others() -> None:
    """A rule may win accounts from elsewhere: counting them would answer questions about them."""
    one, two, three = (UUID(int=number) for number in (1, 2, 3))
    units = [
        _row(1, COUNTIES[0], two),  # to one, from elsewhere
        _row(2, COUNTIES[1], one),  # to two, from one
        _row(3, COUNTIES[3], one),  # stays
        _row(4, COUNTIES[0], None),  # to one, out of the gap
    ]
    tally = Tally(Sight(live=frozenset({one}), planned=frozenset({one, three})))
    accounts, _ = tally.count(MATCHER, units)
    assert accounts == [UUID(int=2), UUID(int=3)]
    places = tally.by_place()
    assert set(places) == {one}
    assert (places[one].accounts.gained, places[one].accounts.lost, places[one].accounts.kept) == (0, 1, 1)
    assert tally.totals().accounts.gained + tally.totals().accounts.kept == 2
    assert UUID(int=100) not in tally.rules


def test_where_accounts_are_is_seen_by_the_live_tree_and_where_they_go_by_the_plans_own() -> None:
    one, two = UUID(int=1), UUID(int=2)
    path = (one, two)
    for sight, places in (
        (Sight(live=frozenset({one})), {one}),
        (Sight(live=frozenset({one}), planned=frozenset({two})), {one, two}),
        (Sight(planned=frozenset({two})), set()),
        (Sight(live=frozenset({two}), planned=frozenset({one})), set()),
        (Sight(everything=True), {one, two}),
    ):
        assert sight.places(path) == places
    within = Sight(live=frozenset({one}), planned=frozenset({one}))
    assert within.places((None, None)) == set()
    assert within.places((one, None)) == {one}


def test_gaps_are_counted_over_the_accounts_that_are_seen() -> None:
    units = [_row(n, COUNTIES[4], place and UUID(int=place)) for n, place in ((1, 1), (2, 2), (3, None))]
    for sight, gaps in ((Sight(everything=True), 3), (Sight(live=frozenset({UUID(int=1)})), 1)):
        tally = Tally(sight)
        tally.count(MATCHER, units)
        assert tally.reasons == {Reason.NO_MATCH: gaps}
