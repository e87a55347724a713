"""From the sphere to a plane and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assignment.design.engine.geography import (
    EARTH_RADIUS_KM,
    Plane,
    great_circle_km,
    projected,
    road_weight,
)
from services.assignment.design.engine.problem import WrongProblemError

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
places = st.lists(st.tuples(latitudes, longitudes), min_size=1, max_size=30)


def arrays(found):
    table = np.array(found, float).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def test_the_customary_example():
    """Snyder, Map Projections - A Working Manual, page 332: on a sphere of radius 3."""
    xy = Plane(40, -100).to_plane(np.array([-20.0]), np.array([100.0])) * 3 / EARTH_RADIUS_KM
    assert xy[0] == pytest.approx([-4.2339303, 4.0257775], abs=1e-6)


@given(places)
def test_there_and_back(found):
    latitude, longitude = arrays(found)
    xy, plane = projected(latitude, longitude)
    back = plane.to_sphere(xy)
    assert np.isfinite(xy).all()
    assert great_circle_km(latitude, longitude, *back).max() < 1e-3


@given(places, latitudes, longitudes)
def test_from_the_middle_lengths_are_those_of_chords(found, latitude, longitude):
    plane = Plane(latitude, longitude)
    away = great_circle_km(np.array([latitude]), np.array([longitude]), *arrays(found))
    length = np.sqrt((plane.to_plane(*arrays(found)) ** 2).sum(axis=1))
    assert length == pytest.approx(2 * EARTH_RADIUS_KM * np.sin(away / 2 / EARTH_RADIUS_KM), abs=1e-3)


@given(st.floats(-70, 60), longitudes, latitudes, longitudes)
def test_areas_hold_everywhere(south, west, latitude, longitude):
    """A field of a degree by ten, walked around in small steps, against the formula for the sphere."""
    step = np.linspace(0, 1, 200)
    up = np.concatenate([south + 0 * step, south + step, south + 1 + 0 * step, south + 1 - step])
    around = np.concatenate([west + 10 * step, west + 10 + 0 * step, west + 10 - 10 * step, west + 0 * step])
    xy = Plane(latitude, longitude).to_plane(up, around)
    # Around the antipode of the middle a field is no longer one piece.
    if np.sqrt((xy**2).sum(axis=1)).max() > 1.95 * EARTH_RADIUS_KM:
        return
    x, y = xy.T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    expected = (
        EARTH_RADIUS_KM**2 * np.radians(10) * (np.sin(np.radians(south + 1)) - np.sin(np.radians(south)))
    )
    assert area == pytest.approx(expected, rel=2e-3)


@given(st.lists(st.tuples(st.floats(-60, 60), st.floats(-40, 40)), min_size=2, max_size=20), longitudes)
def test_the_date_line_is_a_line_like_any_other(found, turn):
    latitude, longitude = arrays(found)
    here, _ = projected(latitude, longitude)
    there, _ = projected(latitude, (longitude + turn + 180) % 360 - 180)
    assert there == pytest.approx(here, abs=1e-3)


def test_around_a_pole_units_keep_their_distances():
    latitude, longitude = np.full(8, 89.0), np.arange(0, 360, 45.0)
    xy, plane = projected(latitude, longitude)
    assert plane.latitude == pytest.approx(90)
    assert np.sqrt((xy**2).sum(axis=1)) == pytest.approx(np.full(8, 111.19), abs=0.01)


@pytest.mark.parametrize(
    "found",
    [
        [(0, 0), (0, 180)],
        [(90, 0), (-90, 0)],
        [(0, 0), (0, 90), (0, 180), (0, -90)],
        [(0, 0), (0, 90), (0, 180), (0, -90), (90, 0), (-90, 0)],
    ],
)
def test_points_all_around_the_earth_have_a_plane_too(found):
    latitude, longitude = arrays(found)
    xy, plane = projected(latitude, longitude)
    assert great_circle_km(latitude, longitude, *plane.to_sphere(xy)).max() < 1e-3
    if len(found) < 5:
        # All a quarter of the earth away from the middle: none is torn to the rim.
        assert np.sqrt((xy**2).sum(axis=1)) == pytest.approx(np.full(len(xy), np.sqrt(2) * EARTH_RADIUS_KM))


def test_weight_draws_the_middle_and_no_weight_at_all_is_the_same_for_all():
    latitude, longitude = np.array([0.0, 0.0]), np.array([0.0, 10.0])
    assert projected(latitude, longitude, np.array([1.0, 0.0]))[1].longitude == pytest.approx(0)
    assert projected(latitude, longitude, np.zeros(2))[1].longitude == pytest.approx(5)


def test_beyond_the_rim_is_taken_for_the_rim():
    latitude, longitude = Plane(0, 0).to_sphere(np.array([[0.0, 20_000.0], [20_000.0, 0.0]]))
    assert great_circle_km(latitude, longitude, np.zeros(2), np.full(2, 180.0)).max() < 1e-3


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [(91, 0, "latitude"), (np.nan, 0, "latitude"), (0, 361, "longitude"), (0, np.inf, "longitude")],
)
def test_what_is_no_place_is_refused(latitude, longitude, field):
    with pytest.raises(WrongProblemError) as refusal:
        projected(np.array([latitude], float), np.array([longitude], float))
    assert refusal.value.field == field


def test_roads_are_longer_than_the_way_of_the_crow():
    crow = great_circle_km(np.array([36.12]), np.array([-86.67]), np.array([33.94]), np.array([-118.4]))
    road = great_circle_km(np.array([36.12]), np.array([-86.67]), np.array([33.94]), np.array([-118.4]), 1.3)
    assert road == pytest.approx(1.3 * crow)
    assert road_weight(np.array([2.0]), np.array([1.5])) == pytest.approx([4.5])
    with pytest.raises(WrongProblemError):
        road_weight(np.array([2.0]), np.array([0.9]))
