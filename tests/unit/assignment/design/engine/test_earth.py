"""Places all over the earth: poles, the antimeridian, both hemispheres; the same map costs the same anywhere."""

import numpy as np
import pytest

from services.assignment.design.engine.arrays import Floats
from services.assignment.design.engine.geography import great_circle_km, projected
from services.assignment.design.engine.neighbours import neighbours
from services.assignment.design.engine.problem import Problem
from services.assignment.design.engine.proposal import Proposal
from services.assignment.design.engine.solving import propose

UNITS, TERRITORIES = 500, 6


def region(latitude: float, longitude: float) -> tuple[Floats, Floats]:
    """Return the same 500 places, within some 500 km, around a place: turned there with the sphere."""
    east, north = np.random.default_rng(6).uniform(-0.08, 0.08, (2, UNITS))
    points = np.column_stack([np.ones(UNITS), east, north])
    points /= np.sqrt((points**2).sum(axis=1))[:, None]
    up, around = np.radians(latitude), np.radians(longitude)
    tilt = np.array([[np.cos(up), 0, -np.sin(up)], [0, 1, 0], [np.sin(up), 0, np.cos(up)]])
    turn = np.array([[np.cos(around), -np.sin(around), 0], [np.sin(around), np.cos(around), 0], [0, 0, 1]])
    x, y, z = (turn @ tilt @ points.T).round(15)
    return np.degrees(np.arcsin(z)), np.degrees(np.arctan2(y, x))


def proposed(latitude: Floats, longitude: Floats) -> Proposal:
    xy, _ = projected(latitude, longitude)
    random = np.random.default_rng(7)
    return propose(
        Problem(
            xy=xy,
            weight=random.uniform(0.5, 1.5, len(xy)),
            measures=random.uniform(0.5, 1.5, (len(xy), 1)),
            targets=np.ones((TERRITORIES, 1)),
            tolerance=np.array([0.05]),
            adjacency=neighbours(xy),
        )
    )


@pytest.fixture(scope="module")
def reference() -> Proposal:
    """The region where nobody has trouble: on the equator, at Greenwich."""
    return proposed(*region(0.0, 0.0))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(90, 0), (-90, 77), (0, 180), (0, -180), (62, 179.9), (-45, -179.9), (89.0, 135), (47, 8)],
)
def test_a_region_costs_the_same_wherever_it_is(latitude, longitude, reference):
    where = region(latitude, longitude)
    found = proposed(*where)
    assert found.feasible
    assert found.cost == pytest.approx(reference.cost, rel=0.02)
    # Nobody is sent around the world: all of a territory are near one another on the sphere.
    for territory in range(TERRITORIES):
        up, around = (angle[found.labels == territory] for angle in where)
        assert great_circle_km(up[:, None], around[:, None], up, around).max() < 900


def test_longitudes_on_either_side_of_the_antimeridian_may_be_told_either_way():
    latitude, longitude = region(10, 180)
    one, other = proposed(latitude, longitude), proposed(latitude, longitude % 360)
    assert other.cost == pytest.approx(one.cost, rel=0.02)
    assert other.mean_km == pytest.approx(one.mean_km, rel=0.02)


def test_places_all_over_the_earth_are_shared_out():
    random = np.random.default_rng(9)
    found = proposed(np.degrees(np.arcsin(random.uniform(-1, 1, UNITS))), random.uniform(-180, 180, UNITS))
    assert found.feasible
