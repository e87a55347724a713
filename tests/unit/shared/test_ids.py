"""Ids that tell when."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.identity import fact_key
from shared.runtime.ids import IdMaker, first_id_at, new_id, new_id_at

# 0.29 s and 0.57 s are no binary fractions: computed in floats they would fall into the millisecond before.
MOMENTS = [datetime(2026, 11, 23, 9, 0, 0, micros, tzinfo=UTC) for micros in (0, 290_000, 570_000, 999_999)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_id_lies_in_the_range_of_its_millisecond(moment):
    start = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert first_id_at(start) == first_id_at(moment)
    assert first_id_at(start) <= new_id_at(moment) < first_id_at(start + timedelta(milliseconds=1))


def test_drawn_and_computed_ids_have_the_version_and_variant_of_uuid7():
    computed = fact_key(source="crm", kind="order", external_id="1", created_at=MOMENTS[0])
    for made in (new_id(), new_id_at(MOMENTS[1]), first_id_at(MOMENTS[2]), computed):
        assert (made.version, made.variant) == (7, RFC_4122)
    assert str(computed) == "01a207a2-3280-7bdc-b1c5-1584452c9062"


@given(st.lists(st.integers(0, 2**47 * 1_000_000), min_size=1, max_size=50))
def test_ids_rise_in_the_order_they_were_made_whatever_the_clock_does(readings: list[int]):
    clock = iter(readings)
    make = IdMaker(lambda: next(clock)).make
    ids = [make() for _ in readings]
    assert ids == sorted(set(ids))
    assert ids[0].int >> 80 == readings[0] // 1_000_000
    assert all((one.version, one.variant) == (7, RFC_4122) for one in ids)
