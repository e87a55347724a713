"""Distances over the sphere: golden values with their source, and the middle of points anywhere on it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.alignments.balances.travel import (
    EARTH_RADIUS_KM,
    centre_of,
    great_circle_km,
    measure_travel,
)

NASHVILLE, LOS_ANGELES = (36.12, -86.67), (33.94, -118.40)
points = st.tuples(st.floats(-80, 80), st.floats(-179, 179))


def test_nashville_to_los_angeles() -> None:
    """The customary example of the haversine formula: 2887.2599506 km on a sphere of 6372.8 km."""
    expected = 2887.2599506071106 * EARTH_RADIUS_KM / 6372.8
    assert great_circle_km(NASHVILLE, LOS_ANGELES) == pytest.approx(expected, abs=1e-6)


def test_a_quarter_of_the_equator_and_half_a_meridian() -> None:
    assert great_circle_km((0, 0), (0, 90)) == pytest.approx(10007.557, abs=1e-3)
    assert great_circle_km((90, 0), (-90, 0)) == pytest.approx(20015.115, abs=1e-3)


def test_the_middle_lies_right_over_the_date_line() -> None:
    found = centre_of([(0, 179), (0, -179)])
    assert found is not None
    assert abs(found[1]) == pytest.approx(180)
    travel = measure_travel([(0, 179), (0, -179)])
    assert (travel.mean_km, travel.farthest_km) == pytest.approx((111.195, 111.195), abs=1e-3)


def test_without_a_middle_there_is_no_distance() -> None:
    assert measure_travel([]).mean_km is None
    around = measure_travel([(0, 0), (0, 180)])
    assert (around.placed, around.centre, around.mean_km) == (2, None, None)


@given(points, points)
def test_there_and_back_is_as_far_and_the_middle_is_half_way(
    one: tuple[float, float], other: tuple[float, float]
) -> None:
    distance = great_circle_km(one, other)
    assert distance == pytest.approx(great_circle_km(other, one), abs=1e-6)
    middle = centre_of([one, other])
    if middle is not None and distance < 19_000:
        assert great_circle_km(one, middle) == pytest.approx(distance / 2, abs=1e-3)
