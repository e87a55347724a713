"""Which accounts are kept together, what a group is called, and which pins tear one apart."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.inputs.together import Groups, Together
from services.assignment.design.runs.run import KeepTogether

CODE, COUNTY, PLACE = KeepTogether.POSTAL_CODE, KeepTogether.COUNTY, KeepTogether.PLACE


def row(**known: Any) -> Any:
    """Return an account as it is read."""
    nothing = {"postal_code": None, "county": None, "state": None, "latitude": 1.0, "longitude": 2.0}
    return SimpleNamespace(**{**nothing, **known})


def grouped(ways: list[KeepTogether], *rows: Any) -> Groups:
    """Return the groups of accounts that all take part."""
    together = Together(ways)
    for one in rows:
        together.take(one)
    return together.groups()


def test_who_shares_nothing_known_is_alone():
    groups = grouped([CODE], row(postal_code="1"), row(), row(postal_code="1"), row())
    assert groups.of.tolist() == [0, 1, 0, 2]
    assert groups.sizes() == [2, 1, 1]
    assert groups.names == {0: "postal_code 1"}


def test_counties_of_one_name_in_two_states_are_two():
    lee = [row(county="Lee", state=state) for state in ("AL", "FL", "AL")]
    assert grouped([COUNTY], *lee, row(county="Lee")).of.tolist() == [0, 1, 0, 2]


def test_a_place_is_all_its_digits():
    near = [row(latitude=1.0), row(latitude=1.00000001), row(latitude=1.0)]
    assert grouped([PLACE], *near).of.tolist() == [0, 1, 0]


def test_who_shares_one_each_with_a_third_is_together():
    """First and last share nothing, but each something with the one between, however late that comes."""
    rows = [
        row(postal_code="1", county="A"),
        row(postal_code="2", county="B"),
        row(postal_code="1", county="B"),
    ]
    groups = grouped([CODE, COUNTY], *rows)
    assert groups.of.tolist() == [0, 0, 0]
    assert groups.names == {0: "postal_code 1 with county A with postal_code 2 and more"}


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=30))
def test_groups_are_the_parts_of_who_shares_what(pairs: list[tuple[int, int]]):
    """Zero is not known. Worked out again by joining accounts one with the other until nothing changes."""
    rows = [row(postal_code=str(a) if a else None, county=str(b) if b else None) for a, b in pairs]
    found = grouped([CODE, COUNTY], *rows).of.tolist()
    wanted = list(range(len(pairs)))
    for _ in pairs:
        for i, (a, b) in enumerate(pairs):
            for j, (c, d) in enumerate(pairs):
                if (a and a == c) or (b and b == d):
                    wanted[i] = wanted[j] = min(wanted[i], wanted[j])
    assert len(set(zip(found, wanted, strict=True))) == len(set(found)) == len(set(wanted))


def test_a_family_is_together_and_so_is_who_shares_a_place_with_it():
    one, two, other = UUID(int=1), UUID(int=2), UUID(int=3)
    together = Together([PLACE], {one: "Holding", two: "Holding"})
    together.take(row(account_id=one, latitude=1.0))
    together.take(row(account_id=two, latitude=2.0))
    together.take(row(account_id=other, latitude=2.0))
    together.take(row(account_id=UUID(int=4), latitude=3.0))
    groups = together.groups()
    assert groups.of.tolist() == [0, 0, 0, 1]
    assert "family Holding" in groups.names[0]


def test_pins_in_two_territories_tear_a_group():
    together = Together([CODE])
    for code in ("1", "1", "2", "2", "3"):
        together.take(row(postal_code=code))
    groups = together.groups()
    fixed = np.array([0, 1, 1, 1, 0], np.int32)
    assert list(groups.torn(fixed, ["North", "South"])) == [
        "postal_code 1 has accounts pinned to North and to South"
    ]
    assert list(groups.torn(np.full(5, -1, np.int32), ["North", "South"])) == []


def test_torn_groups_are_named_up_to_three_and_counted_beyond():
    together = Together([CODE])
    for number in range(20):
        together.take(row(postal_code=str(number // 2)))
    told = list(together.groups().torn(np.arange(20, dtype=np.int32) % 2, ["North", "South"]))
    assert len(told) == 4
    assert told[-1] == "7 more groups are like that"


def test_a_group_is_parted_by_an_account_that_takes_no_part():
    together = Together([CODE])
    together.take(row(postal_code="1"))
    together.miss(row(postal_code="1"))
    together.miss(row(postal_code="1"))
    together.miss(row(postal_code="9"))
    together.take(row(postal_code="2"))
    together.miss(row())
    assert together.groups().parted == 1
