"""Territories as polygons: what they cover, that they share borders, and the document that carries them."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from services.assignment.design.engine.geography import projected
from services.assignment.design.maps.cells import cells_of, dissolved
from services.assignment.design.maps.documents import Feature, WrongShapeError, feature_collection, shapes_of
from services.assignment.design.maps.unions import united

seeds = st.integers(0, 10_000)
# A hair more than the grid all corners are on.
ON_A_BORDER = 2e-6


def drawn(latitude, longitude, labels, territories):
    xy, plane = projected(np.asarray(latitude, float), np.asarray(longitude, float))
    return dissolved(cells_of(xy, plane), np.asarray(labels, np.int32), territories)


def around(random, count, latitude, longitude, spread):
    """Places around one, some close together and some apart."""
    away = random.normal(size=(count, 2)) ** 3 * spread / 4
    return np.clip(latitude + away[:, 0], -89.5, 89.5), (longitude + away[:, 1] + 180) % 360 - 180


def check_a_document_can_carry(geometries):
    """Valid, in range, outer rings counterclockwise, with borders in common exactly and nothing covered twice."""
    assert shapely.is_valid(geometries).all()
    assert shapely.coverage_is_valid(geometries)
    for territory in geometries:
        west, south, east, north = territory.bounds if not territory.is_empty else (0, 0, 0, 0)
        assert -180 <= west <= east <= 180
        assert -90 <= south <= north <= 90
        for part in territory.geoms:
            assert part.exterior.is_ccw
            assert not any(ring.is_ccw for ring in part.interiors)


@settings(max_examples=40)
@given(seeds, st.integers(1, 120), st.floats(-75, 75), st.floats(-180, 180), st.integers(1, 6))
def test_every_unit_is_in_its_territory_wherever_on_earth_it_is(
    seed, count, latitude, longitude, territories
):
    """Over the date line too, and for territories that are scattered all over the map."""
    random = np.random.default_rng(seed)
    where = around(random, count, latitude, longitude, 2.0)
    labels = random.integers(0, territories, count)
    found = drawn(*where, labels, territories)
    check_a_document_can_carry(found)
    points = shapely.points(where[1], where[0])
    assert (shapely.distance(found[labels], points) <= ON_A_BORDER).all()


def test_borders_are_half_way_between_units_of_different_territories():
    """Whatever place on the map is nearest to a unit is in that unit's territory: told by another way, for 20,000."""
    random = np.random.default_rng(4)
    where = around(random, 3_000, 48, 10, 3.0)
    xy, plane = projected(*where)
    labels = cKDTree(random.normal(size=(12, 2)) * 150).query(xy)[1].astype(np.int32)
    found = dissolved(cells_of(xy, plane), labels, 12)
    latitude, longitude = random.uniform(46, 50, 20_000), random.uniform(7, 13, 20_000)
    probes = plane.to_plane(latitude, longitude)
    away, near = cKDTree(xy).query(probes, k=2)
    # Not those on a border, where the last metre decides.
    clear = away[:, 1] - away[:, 0] > 0.05
    inside = np.array([shapely.intersects_xy(one, longitude, latitude) for one in found])
    drawn_at = inside.any(axis=0) & clear
    assert drawn_at.sum() > 5_000
    assert (inside.argmax(axis=0)[drawn_at] == labels[near[drawn_at, 0]]).all()
    assert (inside.sum(axis=0)[clear] <= 1).all()


def test_what_crosses_the_date_line_is_cut_there():
    random = np.random.default_rng(1)
    latitude, longitude = random.uniform(-20, -10, 400), random.uniform(175, 185, 400)
    labels = (latitude > -15).astype(int)
    found = drawn(latitude, (longitude + 180) % 360 - 180, labels, 2)
    check_a_document_can_carry(found)
    for territory in found:
        west, east = sorted(territory.geoms, key=lambda part: part.bounds[0])
        assert west.bounds[0] == -180
        assert east.bounds[2] == 180
        assert west.bounds[2] - west.bounds[0] < 10
        assert east.bounds[2] - east.bounds[0] < 10
        # Both halves end at the same latitudes.
        ends = [
            sorted({y for x, y in shapely.get_coordinates(part) if abs(x) == 180}) for part in (west, east)
        ]
        assert ends[0] == ends[1]


@pytest.mark.parametrize("pole", [90, -90])
def test_around_a_pole_there_are_sectors(pole):
    random = np.random.default_rng(2)
    longitude = random.uniform(-180, 180, 900)
    latitude = pole - np.sign(pole) * random.uniform(0.2, 8, 900)
    labels = ((longitude + 180) // 120).astype(int)
    found = drawn(latitude, longitude, labels, 3)
    check_a_document_can_carry(found)
    inside = [
        shapely.distance(found[label], shapely.Point(x, y)) < 1e-4
        for label, x, y in zip(labels, longitude, latitude, strict=True)
    ]
    assert all(inside)


def test_units_all_around_the_earth_are_drawn_too():
    random = np.random.default_rng(3)
    towards = random.normal(size=(1_500, 3))
    longitude = np.degrees(np.arctan2(towards[:, 1], towards[:, 0]))
    latitude = np.degrees(np.arctan2(towards[:, 2], np.hypot(towards[:, 0], towards[:, 1])))
    labels = (latitude > 0) * 2 + (longitude > 0)
    found = drawn(latitude, longitude, labels, 4)
    check_a_document_can_carry(found)
    points = shapely.points(longitude, latitude)
    # The antipode of the middle of the map is its rim.
    assert (shapely.distance(found[labels], points) < 1e-3).mean() > 0.97


def test_cells_do_not_reach_to_infinity_and_a_wide_bay_stays_water():
    """A U of units 40 km high: its mouth is 20 times the usual way wide."""
    steps = np.arange(0, 0.4, 0.01)
    arms = [(x + dx, y) for x in (0.0, 0.25) for dx in (0.0, 0.01) for y in steps]
    bottom = [(x, y) for x in np.arange(0.02, 0.25, 0.01) for y in (0.0, 0.01)]
    longitude, latitude = np.array(arms + bottom).T
    (found,) = drawn(latitude, longitude, np.zeros(len(latitude)), 1)
    west, south, east, north = found.bounds
    assert west > -0.02
    assert south > -0.02
    assert east < 0.28
    assert north < 0.42
    assert not found.contains(shapely.Point(0.13, 0.3))
    assert found.contains(shapely.Point(0.005, 0.3))


@pytest.mark.parametrize(
    "where",
    [([50], [10]), ([50, 50.1], [10, 10]), ([50, 51, 50], [10, 10, 11]), (np.linspace(40, 50, 20), [7] * 20)],
)
def test_a_few_units_and_units_on_a_line_have_land_around_them(where):
    labels = np.arange(len(where[0]))
    found = drawn(*where, labels, len(labels))
    check_a_document_can_carry(found)
    inside = shapely.contains_xy(found, np.asarray(where[1], float), np.asarray(where[0], float))
    assert inside.all()


def test_a_shared_place_goes_to_most_of_its_units_and_a_territory_without_one_is_empty():
    found = drawn([50] * 6 + [51], [10] * 6 + [10], [2, 1, 1, 0, 0, 1, -1], 4)
    assert [territory.is_empty for territory in found] == [True, False, True, True]
    assert not found[1].contains(shapely.Point(10, 51))


def test_a_document_says_what_it_covers_in_the_order_and_turn_of_the_standard():
    shapes = np.array(
        [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6)], dtype=object
    )
    geometries = united(shapes, np.array([0, 0, 1], np.int32), 3)
    features = [
        Feature(
            territory_id=f"t{k}",
            name=f"North {k}",
            accounts=k,
            loads={"revenue": 2.0},
            deviation={"revenue": -0.1},
        )
        for k in range(3)
    ]
    document = json.loads(json.dumps(feature_collection(features, geometries)))
    assert document["type"] == "FeatureCollection"
    first, _, nowhere = document["features"]
    assert first["id"] == "t0"
    assert first["properties"] == {
        "territory_id": "t0",
        "name": "North 0",
        "accounts": 0,
        "loads": {"revenue": 2.0},
        "deviation": {"revenue": -0.1},
    }
    assert first["geometry"]["type"] == "Polygon"
    (ring,) = first["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    assert shapely.LinearRing(ring).is_ccw
    assert shapely.from_geojson(json.dumps(first["geometry"])).equals(shapely.box(0, 0, 2, 1))
    assert nowhere["geometry"] is None


@given(seeds)
def test_real_shapes_are_joined_as_plain_geometry_joins_them(seed):
    """Shapes with common corners, some labelled to no territory, one that overlaps the others, one that is missing."""
    random = np.random.default_rng(seed)
    fields = [shapely.box(x, y, x + 1, y + 1) for x in range(6) for y in range(6)]
    shapes = np.array([*fields, shapely.box(0.5, 0.5, 2.5, 1.5), None, shapely.Polygon()], dtype=object)
    labels = random.integers(-1, 4, len(shapes)).astype(np.int32)
    found = united(shapes, labels, 4)
    for territory in range(4):
        expected = shapely.union_all(shapes[labels == territory])
        assert found[territory].equals(expected) or (found[territory].is_empty and expected.is_empty)
        assert all(part.exterior.is_ccw for part in found[territory].geoms)


def test_shapes_come_from_geojson():
    polygon = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    shapes = shapes_of([polygon, None, {"type": "Point", "coordinates": [1, 2]}])
    assert [shape.area for shape in shapes] == [0.5, 0, 0]
    with pytest.raises(WrongShapeError) as refusal:
        shapes_of([polygon, {"type": "Nonsense"}])
    assert refusal.value.number == 1
