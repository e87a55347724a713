"""Shapes of postal codes and counties, as people send them."""

import json
from typing import Any

import pytest

from services.assignment.design.exports.shaped import most_voted
from services.assignment.shapes import shape as module
from services.assignment.shapes.shape import MOST_PROBLEMS, WrongShapesError, read_shapes

SQUARE = [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]


def feature(key: Any = "01841", coordinates: Any = SQUARE, kind: str = "Polygon") -> dict[str, Any]:
    """Return a feature with a key."""
    return {"properties": {"ZIP": key}, "geometry": {"type": kind, "coordinates": coordinates}}


def document(*features: Any) -> bytes:
    """Return a collection."""
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_features_of_one_key_are_one_shape_and_heights_are_left_out():
    island = [[[5, 5, 80.0], [6, 5, 81.0], [6, 6, 82.0], [5, 5, 80.0]]]
    body = document(feature("2"), feature("1"), feature("2", [island, SQUARE], "MultiPolygon"))
    found = read_shapes(body, "ZIP")
    assert [one.key for one in found] == ["1", "2"]
    flat = [[[5, 5], [6, 5], [6, 6], [5, 5]]]
    assert json.loads(found[1].geometry) == {"type": "MultiPolygon", "coordinates": [SQUARE, flat, SQUARE]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""),
        (b"\xff{", ""),
        (b"[" * 100_000, ""),
        (b"[]", "/type"),
        (b'{"type": "Feature"}', "/type"),
        (b'{"type": "FeatureCollection"}', "/features"),
        (document(), "/features"),
        (document(7), "/features/0"),
        (document({}), "/features/0/properties"),
        (document(feature(), feature(1841)), "/features/1/properties"),
        (document(feature("")), "/features/0/properties"),
        (document(feature("a\0b")), "/features/0/properties"),
        (document(feature("1" * 21)), "/features/0/properties"),
        (document({**feature(), "geometry": None}), "/features/0/geometry"),
        (document(feature(kind="Point")), "/features/0/geometry"),
        (document(feature(coordinates=None)), "/features/0/geometry/coordinates"),
        (document(feature(coordinates=[])), "/features/0/geometry/coordinates"),
        (document(feature(coordinates=[[[0, 0]]])), "/features/0/geometry/coordinates"),
        (
            document(feature(coordinates=[[[0, 0], [1, 0], [1, 1], [0, 1]]])),
            "/features/0/geometry/coordinates",
        ),
        (document(feature(coordinates=[[[0], [1], [2], [0]]])), "/features/0/geometry/coordinates"),
        (
            document(feature(coordinates=[[["0", 0], [1, 0], [1, 1], ["0", 0]]])),
            "/features/0/geometry/coordinates",
        ),
        (
            document(feature(coordinates=[[[True, 0], [1, 0], [1, 1], [True, 0]]])),
            "/features/0/geometry/coordinates",
        ),
        (
            document(feature(coordinates=[[[42, 91], [1, 0], [1, 1], [42, 91]]])),
            "/features/0/geometry/coordinates",
        ),
        (
            document(feature(coordinates=[[[10**400, 0], [1, 0], [1, 1], [10**400, 0]]])),
            "/features/0/geometry/coordinates",
        ),
        # Nothing within; around the far side of the earth; a hole elsewhere.
        (
            document(feature(coordinates=[[[0, 0], [1, 1], [2, 2], [0, 0]]])),
            "/features/0/geometry/coordinates",
        ),
        (
            document(feature(coordinates=[[[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]])),
            "/features/0/geometry/coordinates",
        ),
        (
            document(feature(coordinates=[*SQUARE, [[9, 9], [9.5, 9], [9.5, 9.5], [9, 9]]])),
            "/features/0/geometry/coordinates",
        ),
        (b'{"type": "FeatureCollection", "features": [' + b"9" * 5_000 + b"]}", ""),
        (
            document(feature(coordinates=[[[float("nan"), 0], [1, 0], [1, 1], [0, 0]]])),
            "/features/0/geometry/coordinates",
        ),
    ],
)
def test_what_is_no_collection_of_shapes_is_told_where(body: bytes, pointer: str):
    with pytest.raises(WrongShapesError) as caught:
        read_shapes(body, "ZIP")
    assert [found for found, _ in caught.value.problems] == [pointer]


def test_an_outline_that_crosses_itself_is_taken():
    bow = [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]
    assert [one.key for one in read_shapes(document(feature(coordinates=bow)), "ZIP")] == ["01841"]


def test_corners_are_counted_over_all_features_and_before_they_are_looked_at(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "MOST_CORNERS", 10)
    assert len(read_shapes(document(feature("1"), feature("2")), "ZIP")) == 2
    wrong = feature("3", [[["a"]] * 6])
    for features in ([feature("1")] * 3, [feature("1"), wrong]):
        with pytest.raises(WrongShapesError) as caught:
            read_shapes(document(*features), "ZIP")
        assert [found for found, _ in caught.value.problems] == ["/features"]
        assert "more than 10 corners" in str(caught.value)


def test_of_many_problems_the_first_are_told():
    with pytest.raises(WrongShapesError) as caught:
        read_shapes(document(*[feature(1)] * (MOST_PROBLEMS + 5)), "ZIP")
    assert len(caught.value.problems) == MOST_PROBLEMS


@pytest.mark.parametrize(
    ("counts", "number"),
    [({3: 1}, 3), ({3: 1, 5: 2}, 5), ({5: 2, 3: 2}, 3), ({-1: 2, 5: 2}, 5), ({-1: 3, 5: 2}, -1)],
)
def test_a_shape_goes_where_most_of_its_accounts_are(counts: dict[int, int], number: int):
    assert most_voted(counts) == number
